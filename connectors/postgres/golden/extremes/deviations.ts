/**
 * Selects the cells of the comparison that a deviation explains. Each pattern is a regular
 * expression that must match the whole text.
 */
export interface Rule {
  readonly columns: string
  readonly tables?: string
  readonly modes?: string
  /** The pattern of the event: `r`ead, `c`reate, `u`pdate, `d`elete, `schema` or `column`. */
  readonly events?: string
  /** The pattern of the value on the server. */
  readonly values?: string
  /** The pattern of the value in Debezium's event. */
  readonly debezium?: string
  readonly here?: string
}

/** A line of the published list of differences, with rules for the cells that it explains. */
export interface Deviation {
  readonly what: string
  readonly debezium: string
  readonly here: string
  readonly rules: readonly Rule[]
}

/** Returns the pattern of the columns of some types, and of domains over these types. */
const also = (names: string) => `(?:d_|dd_)?(?:${names})`
const MICROS = 'adaptive|adaptive-time|microseconds'
const NULL = 'null'

/**
 * The deliberate differences from the values of Debezium 3.7. The list in README.md is generated
 * from this array, and a test checks that the array is complete and exact.
 */
export const DEVIATIONS: readonly Deviation[] = [
  {
    what: 'streamed values of type `name`',
    debezium: 'null, unless `include.unknown.datatypes=true`',
    here: 'the value',
    rules: [
      { columns: `${also('name')}(__\\d+)?`, events: 'c', modes: 'adaptive|nanoseconds', debezium: NULL, here: '".*"' },
      { columns: 'name', tables: 'required', events: 'c', modes: 'adaptive|nanoseconds' },
    ],
  },
  {
    what: 'infinite dates',
    debezium: 'different numbers in the snapshot and in the stream',
    here: 'the largest and smallest int32; `infinity` and `-infinity` with `time.precision.mode=isostring`',
    rules: [
      { columns: also('date'), events: 'r|c', values: '-?infinity' },
      { columns: 'date__\\d+', events: 'r|c', values: '-?infinity' },
      { columns: 'a_date', events: 'r|c', values: '[^N{]*\\{"infinity".*' },
    ],
  },
  {
    what: 'infinite timestamps with `time.precision.mode=isostring`',
    debezium: '`+292278994-08-16T23:00:00Z`',
    here: '`infinity`, `-infinity`',
    rules: [
      { columns: also('timestamp(_[036])?'), events: 'r|c', modes: 'strings', values: '-?infinity' },
      { columns: 'timestamp(_[036])?__\\d+', modes: 'strings', events: 'r|c', values: '-?infinity' },
      { columns: 'a_timestamp(_[036])?', events: 'r|c', modes: 'strings', values: '[^{]*\\{"infinity".*' },
    ],
  },
  {
    what: 'infinite defaults in schemas',
    debezium: 'a different moment',
    here: 'no default',
    rules: [
      { columns: 'date__[01]', events: 'schema' },
      { columns: 'timestamp(_[036])?__[01]', modes: 'strings', events: 'schema' },
      { columns: 'timestamp(_6)?__[01]', modes: MICROS, events: 'schema' },
      { columns: 'timestamp_[03]__[01]', modes: 'microseconds', events: 'schema' },
    ],
  },
  {
    what: 'dates BC, and the days skipped by the calendar change of 1582, in snapshots',
    debezium: 'BC years become AD years, and the days differ; streamed values are correct',
    here: 'the proleptic Gregorian calendar, as on the server and in Java',
    rules: [{ columns: `${also('date')}(__\\d+)?`, events: 'r', values: '.* BC|1582-10-10' }],
  },
  {
    what: 'timestamps after the year 294246 in microseconds',
    debezium: 'wrap around to negative numbers',
    here: 'the largest int64, as for `infinity`',
    rules: [
      { columns: `${also('timestamp(_6)?')}(__\\d+)?`, events: 'r|c', modes: MICROS, values: '294247-.*808|294276-.*' },
      { columns: 'timestamp(_6)?__2[12]', events: 'schema', modes: MICROS },
      { columns: 'timestamp_[03]__21', events: 'schema', modes: 'microseconds' },
      { columns: `${also('timestamp_3')}(__\\d+)?`, events: 'r|c', modes: 'microseconds', values: '294247-.*' },
    ],
  },
  {
    what: 'timestamps in nanoseconds within a second of the minimum, 1677-09-21T00:12:43.145Z',
    debezium: 'null',
    here: 'their value',
    rules: [
      { columns: 'timestamp(_6)?', events: 'r|c', modes: 'nanoseconds', values: '1677-09-21 00:12:43.145225' },
      { columns: 'timestamp(_[036])?__8', modes: 'nanoseconds' },
    ],
  },
  {
    what: '`timetz` with seconds in its UTC offset',
    debezium: 'null',
    here: 'their value, in UTC',
    rules: [
      {
        columns: `${also('timetz(_0)?')}(__\\d+)?`,
        events: 'r|c',
        values: '.*[+-]\\d\\d:\\d\\d:\\d\\d',
        debezium: NULL,
      },
    ],
  },
  {
    what: 'arrays with NULL elements, of less common types',
    debezium: 'elements are not optional in the schema, and the whole array is null',
    here: 'elements are always optional',
    rules: [
      {
        columns: '(a|da|ad|l)_.*',
        events: 'schema',
        debezium: '.*"items":\\{"type":"(string|bytes)","optional":false.*',
        here: '.*"items":\\{"type":"(string|bytes)","optional":true.*',
      },
      {
        columns: '(a|da|ad)_.*',
        events: 'r|c',
        values: '\\{(?!\\{).*NULL((?!NaN).)*\\}',
        debezium: NULL,
        here: '\\[.*null.*\\]',
      },
    ],
  },
  {
    what: '`bit[]`',
    debezium: 'the schema of a single `bit`, and always null',
    here: 'an array of bit values',
    rules: [
      { columns: '[al]_bit.*(_a)?', events: 'schema', here: '.*"items".*' },
      { columns: 'a_bit.*', events: 'r|c', debezium: NULL, here: '\\[.*\\]' },
    ],
  },
  {
    what: '`oidvector`, `int2vector`',
    debezium: 'elements are not optional; always an empty array or null',
    here: 'their numbers',
    rules: [
      { columns: '(a_|d_)?(oid|int2)vector(__\\d+)?', events: 'schema' },
      { columns: `${also('(oid|int2)vector')}(__\\d+)?`, events: 'r|c' },
      { columns: 'a_(oid|int2)vector', events: 'r|c', values: '(?!\\{\\}).*' },
    ],
  },
  {
    what: 'arrays with more than one dimension',
    debezium: '`[null,null]` or the text of a Java object',
    here: 'their elements, in the order of `unnest`',
    rules: [{ columns: 'a_(?!oidvector|int2vector|bit|line|timetz).*', events: 'r|c', values: '\\{\\{.*' }],
  },
  {
    what: 'times in arrays',
    debezium: 'truncated to milliseconds; 24:00 becomes 0; null for `timetz` with seconds in its UTC offset',
    here: 'as in columns',
    rules: [
      { columns: 'a_time(_[036])?', events: 'r|c', values: '\\{"00:00:00",".*', modes: '(?!strings).*' },
      { columns: 'a_time(_6)?', events: 'r|c', values: '\\{"00:00:00",".*', modes: 'strings' },
      { columns: 'a_timetz(_0)?', events: 'r|c', values: '(\\{".*",".*|\\{\\{.*)' },
    ],
  },
  {
    what: 'dates and timestamps before 1582 in arrays',
    debezium: 'BC years become AD years, and the days are those of the Julian calendar',
    here: 'as in columns',
    rules: [
      { columns: 'a_timestamp(_[036])?', events: 'r|c', values: '\\{"infinity",".*', modes: '(?!strings|nano).*' },
      { columns: 'a_timestamp(_6)?', events: 'r|c', values: '\\{"infinity",".*', modes: 'nanoseconds' },
      { columns: 'a_timestamptz(_[03])?', events: 'r|c', values: '\\{"infinity",".*' },
    ],
  },
  {
    what: 'NaN and Infinity in arrays of `numeric`',
    debezium: 'null for the whole array',
    here: 'null for the element; names such as `NAN` as text; NaN as a double',
    rules: [{ columns: '(a|da)_numeric(_5_2|_38_10)?', events: 'r|c', values: '\\{.*,"NaN".*' }],
  },
  {
    what: 'arrays of `line`, `lseg`, `box`, `path`, `polygon`, `circle`',
    debezium: 'null',
    here: 'their elements',
    rules: [
      { columns: 'a_(line|lseg|box|path|polygon|circle)', events: 'r|c', values: '(\\{"|\\[0).*', debezium: NULL },
      { columns: 'a_line', events: 'r|c', values: '\\{\\{.*' },
    ],
  },
  {
    what: 'the default 24:00',
    debezium: 'one unit before 24:00; 23:59:59.999999999 with `time.precision.mode=isostring`',
    here: '24:00, as in values; 00:00 with `isostring`',
    rules: [{ columns: 'time(_[036])?__[45]', events: 'schema' }],
  },
  {
    what: 'quotes in the default of an enum',
    debezium: 'doubled',
    here: 'as in the label',
    rules: [{ columns: 'mood__2', events: 'schema' }],
  },
  {
    what: 'an `interval` within a value that is emitted as the bytes of its text, such as an array of a domain over `interval`',
    debezium: "the server's format, such as `1 mon -1 days`",
    here: 'ISO 8601, such as `P1M-1D`',
    rules: [{ columns: 'ad_interval(_0|_year_to_month)?', events: 'r|c', debezium: '\\[".*' }],
  },
  {
    what: 'the order of the keys of an `hstore`',
    debezium: "the order of Java's HashMap",
    here: 'the order on the server',
    rules: [{ columns: '(a_|d_)?hstore(__\\d+)?', events: 'r|c', values: '.*aa.*' }],
  },
  {
    what: 'arrays of domains over enums',
    debezium: 'the schema does not contain the labels',
    here: 'the schema contains the labels',
    rules: [{ columns: 'ad_mood', events: 'schema' }],
  },
  {
    what: 'unchanged TOASTed values of types for which Debezium has no placeholder',
    debezium: 'null, which looks like data',
    here: 'the placeholder in the form that the schema requires: as text, bytes, numbers or a struct',
    rules: [{ columns: 'l_.*', events: 'u', debezium: NULL }],
  },
  {
    what: 'a NOT NULL `uuid` that the server does not send in deletes',
    debezium: 'an empty string',
    here: 'the all-zero UUID',
    rules: [{ columns: 'uuid', tables: 'required', events: 'd', debezium: '""' }],
  },
  {
    what: 'a NOT NULL timestamp that the server does not send in deletes, with `time.precision.mode=nanoseconds`',
    debezium: 'the task fails',
    here: '0',
    rules: [{ columns: '.*', tables: 'required', events: 'd', modes: 'nanoseconds', debezium: 'missing' }],
  },
]
