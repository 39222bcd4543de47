/** A column of a table of extremes. `values` contains the text of one value per row. */
export interface ExtremeColumn {
  readonly name: string
  readonly type: string
  readonly values: readonly (string | null)[]
}

const nines = (n: number) => '9'.repeat(n)
const bits = (n: number) => '10'.repeat(Math.ceil(n / 2)).slice(0, n)

const DATES = [
  ...['infinity', '-infinity', '4714-11-24 BC', '0044-03-15 BC', '0001-12-31 BC', '0001-01-01', '1582-10-04'],
  ...['1582-10-10', '1582-10-15', '1899-12-31', '1969-12-31', '1970-01-01', '2024-02-29', '9999-12-31'],
  ...['10000-01-01', '275760-09-13', '275760-09-14', '294276-12-31', '5874897-12-31'],
]

const MOMENTS = [
  ...['infinity', '-infinity', '4714-11-24 00:00:00 BC', '0044-03-15 12:00:00.5 BC', '0001-12-31 23:59:59.999999 BC'],
  ...['0001-01-01 00:00:00', '1582-10-10 00:00:00', '1677-09-21 00:12:43.145224', '1677-09-21 00:12:43.145225'],
  ...['1969-12-31 23:59:59.999999', '1970-01-01 00:00:00', '2024-02-29 12:34:56.1', '2016-12-31 23:59:60'],
  ...['2262-04-11 23:47:16.854775', '2262-04-11 23:47:16.854776', '9999-12-31 23:59:59.999999'],
  ...['10000-01-01 00:00:00', '275760-09-13 00:00:00', '275760-09-13 00:00:00.001'],
  ...['287396-10-12 08:59:00.992', '294247-01-10 04:00:54.775807', '294247-01-10 04:00:54.775808'],
  '294276-12-31 23:59:59.999999',
]
/**
 * Removes the fraction of the last timestamp, because rounding the fraction would move the
 * timestamp past the last year that PostgreSQL supports.
 */
const whole = (list: readonly string[]) => list.map(m => (m.startsWith('294276') ? '294276-12-31 23:59:59' : m))
const zoned = (list: readonly string[]) =>
  list.map(m => (/infinity/.test(m) ? m : m.endsWith(' BC') ? `${m.slice(0, -3)}+00 BC` : `${m}+00`))

const CLOCKS = ['00:00:00', '00:00:00.000001', '12:34:56.1', '23:59:59.999999', '23:59:60', '24:00:00']
const ZONED_CLOCKS = [
  ...['00:00:00+00', '24:00:00+00', '24:00:00+02', '24:00:00-02', '00:00:00+15:59:59', '24:00:00-15:59:59'],
  ...['12:34:56.789+05:30', '23:59:59.999999-00:00:01', '00:00:00.000001+15'],
]

const INTERVALS = [
  ...['0', '1 year 2 mons 3 days 4:05:06.789', '-1 year -2 mons -3 days -4:05:06.789', '1 mon -1 day 00:00:01'],
  ...['-1 mon 1 day', '1 year -1 mon', '-00:00:00.000001', '00:00:59.999999', '-0.5 seconds', '100 hours'],
  ...['2147483647 days', '-2147483648 days', '178956970 years 7 mons', '-178956970 years -8 mons', '24855 days'],
  ...['106751991 days', '106751992 days', '292271 years', '292278 years'],
]
/** Intervals beyond the range of the JDBC driver that Debezium uses. */
export const LONG_INTERVALS = [
  '2147483648 hours',
  '2562047788:00:54.775807',
  '-2562047788:00:54.775807',
  '-2147483649 hours',
]

const NUMBERS = [
  ...['0', '0.0', '0.000', '1', '-1', '1.10', '100', '1000000', '12345678901234567890.12345678901234567890'],
  ...['-0.00001', '0.0000001', '0.00000010', '1e10', '1e-20', `1e200`, '-1e-200', '9007199254740993', '0.1'],
]
const NOT_NUMBERS = ['NaN', 'Infinity', '-Infinity']

const TEXTS = [
  '',
  ' ',
  'a',
  "it's",
  'NULL',
  '\\',
  '"q"',
  'hällo ✓ 😀',
  '\u0001\t\n\r\u007f',
  '{a,b}',
  '\ufeff',
  '\u2028',
]

const RANGES: Readonly<Record<string, readonly string[]>> = {
  int4range: ['empty', '(,)', '[1,1]', '[-2147483648,2147483646]', '[5,)', '(,5)'],
  int8range: ['empty', '(,)', '[-9223372036854775808,9223372036854775806]'],
  numrange: ['empty', '(,)', '[1.10,2.0]', '(NaN,)', '[-Infinity,Infinity]', '[1e50,1e51)'],
  tsrange: ['empty', '(,)', '[-infinity,infinity]', '["4714-11-24 00:00:00 BC","294276-12-31 23:59:59.999999"]'],
  tstzrange: ['empty', '(,)', '[-infinity,infinity)', '["2024-01-01 00:00:00+02","2024-01-01 00:00:00.5+02")'],
  daterange: ['empty', '(,)', '[-infinity,infinity]', '[4714-11-24 BC,5874897-12-30]'],
}

const GEOMETRIC: Readonly<Record<string, readonly string[]>> = {
  point: ['(0,0)', '(-0,1e300)', '(NaN,Infinity)', '(-Infinity,5e-324)', '(1.5,-2)'],
  line: ['{1,2,3}', '{-1,0,0}', '{1e300,-1e-300,0}', '{0,Infinity,NaN}'],
  lseg: ['[(0,0),(1,1)]', '[(NaN,0),(Infinity,-Infinity)]'],
  box: ['(2,2),(0,0)', '(0,0),(2,2)', '(Infinity,NaN),(-Infinity,0)'],
  path: ['[(0,0)]', '((0,0),(1,1),(2,0))', '[(0,0),(1,1),(2,0)]', '[(NaN,1),(Infinity,2)]'],
  polygon: ['((0,0))', '((0,0),(1,1),(2,0))', '((0,0),(1,1),(2,0),(0,0))', '((NaN,0),(1,1))'],
  circle: ['<(1,2),3>', '<(0,0),0>', '<(NaN,0),Infinity>'],
}

/** Types with their extreme values. */
export const VALUES: Readonly<Record<string, readonly string[]>> = {
  bool: ['t', 'f'],
  int2: ['-32768', '32767', '0'],
  int4: ['-2147483648', '2147483647', '0'],
  int8: ['-9223372036854775808', '9223372036854775807', '0', '9007199254740993', '-9007199254740992'],
  oid: ['0', '1', '2147483648', '4294967295'],
  float4: [
    '0',
    '-0',
    '0.1',
    '1',
    '16777216',
    '1e10',
    '123456.7',
    '3.4028235e38',
    '-3.4028235e38',
    '1e-45',
    ...NOT_NUMBERS,
  ],
  float8: [
    ...['0', '-0', '0.1', '1', '1e7', '1e-3', '1e-4', '123456789012345680', '1e21', '1e100', '9007199254740993'],
    ...['1.7976931348623157e308', '-1.7976931348623157e308', '5e-324', ...NOT_NUMBERS],
  ],
  numeric: [...NUMBERS, ...NOT_NUMBERS],
  'numeric(5,2)': ['999.99', '-999.99', '0', '0.01', 'NaN'],
  'numeric(38,10)': ['9999999999999999999999999999.9999999999', '-0.0000000001', '0', 'NaN'],
  'numeric(3)': ['999', '-999', '0'],
  'numeric(18,0)': [nines(18), `-${nines(18)}`],
  'numeric(1000)': [nines(1000), '0'],
  'numeric(30,30)': [`0.${nines(30)}`, '1e-30', '0'],
  money: ['92233720368547758.07', '-92233720368547758.08', '0', '-0.01', '1234.56'],
  text: TEXTS,
  varchar: TEXTS,
  'varchar(12)': TEXTS,
  bpchar: ['', 'a', 'a  ', 'é '],
  'char(5)': ['', 'a', 'ab ', '✓😀'],
  '"char"': ['', 'a', '\\377', '\\'],
  name: ['', 'a', 'x'.repeat(63), 'ä b'],
  bytea: ['\\x', '\\x00', '\\x00ff10fbef', '\\xfb', '\\xfbff'],
  date: DATES,
  time: CLOCKS,
  'time(0)': CLOCKS,
  'time(3)': CLOCKS,
  'time(6)': CLOCKS,
  timetz: ZONED_CLOCKS,
  'timetz(0)': ZONED_CLOCKS,
  timestamp: MOMENTS,
  'timestamp(0)': whole(MOMENTS),
  'timestamp(3)': whole(MOMENTS),
  'timestamp(6)': MOMENTS,
  timestamptz: zoned(MOMENTS),
  'timestamptz(0)': zoned(whole(MOMENTS)),
  'timestamptz(3)': zoned(whole(MOMENTS)),
  interval: INTERVALS,
  'interval(0)': ['1.5 seconds', '-0.5 seconds'],
  'interval year to month': ['1 year 2 mons', '-1 mon'],
  uuid: ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  json: [
    'null',
    '""',
    '1e400',
    '0.10',
    '12345678901234567890',
    ' { "a" : 1, "a" : 2 } ',
    '"\\u00e9\\ud83d\\ude00"',
    '[]',
    '{}',
  ],
  jsonb: [
    'null',
    '""',
    '1e40',
    '0.10',
    '12345678901234567890',
    '{"b":1,"a":2,"a":3}',
    '"\\u00e9\\ud83d\\ude00"',
    '[]',
    '{}',
  ],
  xml: ['', '<a/>', '<?xml version="1.0"?><a>&lt;ä</a>', 'text'],
  tsvector: ['', 'fat cat', "'a':1A,2B 'it''s':3"],
  tsquery: ['', 'fat & !rat'],
  inet: [
    '0.0.0.0/0',
    '255.255.255.255',
    '10.1.2.3/8',
    '::',
    '::/0',
    '::ffff:1.2.3.4',
    'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/1',
  ],
  cidr: ['0.0.0.0/0', '10.0.0.0/8', '1.2.3.4/32', '::/0', '2001:db8::/32', '::1/128'],
  macaddr: ['00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff'],
  macaddr8: ['00:00:00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff:ff:ff'],
  'bit(1)': ['0', '1'],
  'bit(5)': ['00000', '10110', '11111'],
  'bit(64)': ['0'.repeat(64), '1'.repeat(64), bits(64)],
  'bit(70)': ['0'.repeat(70), '1'.repeat(70), bits(70)],
  varbit: ['', '0', '1', '00000001', '100000000', bits(70)],
  'varbit(9)': ['', '0', '000000000', '111111111'],
  ...RANGES,
  ...GEOMETRIC,
}

/**
 * Types without a mapping in Debezium. Their columns are excluded, or contain bytes with
 * `include.unknown.datatypes=true`.
 */
export const UNKNOWN: Readonly<Record<string, readonly string[]>> = {
  pg_lsn: ['0/0', 'FFFFFFFF/FFFFFFFF'],
  txid_snapshot: ['10:20:10,14', '1:1:'],
  pg_snapshot: ['10:20:10,14'],
  xid: ['0', '4294967295'],
  xid8: ['0', '18446744073709551615'],
  cid: ['4294967295'],
  tid: ['(0,0)', '(4294967295,65535)'],
  regclass: ['pg_class', '0'],
  regtype: ['int4', 'text[]'],
  regproc: ['pg_sleep', '-'],
  regrole: ['0'],
  oidvector: ['', '1 2 3'],
  int2vector: ['', '1 -2 3'],
  jsonpath: ['$', '$."a"[*]?(@ > 1)'],
  int4multirange: ['{}', '{[1,2),[5,)}'],
  nummultirange: ['{}', '{[1.5,2]}'],
  tstzmultirange: ['{}', '{[-infinity,infinity]}'],
  datemultirange: ['{[2024-01-01,2024-02-01)}'],
}

/** The types that `SETUP` creates, with their extreme values. */
export const MADE: Readonly<Record<string, readonly string[]>> = {
  mood: ['sad', 'so "sad"', "it's, {x}", ''],
  pair: ['(,)', '("x ""y""",-2147483648)', '(NULL,1)'],
  floatrange: ['empty', '[1.5,2.5]', '(,)'],
  hstore: [
    '',
    '"b"=>"1", "a"=>"2"',
    '"2"=>"x", "1"=>NULL, "10"=>""',
    '"aa"=>"1", "b"=>"2", "a c"=>"3"',
    '"q\\"\\\\"=>"é😀\t"',
  ],
  citext: TEXTS,
  ltree: ['', 'a', 'a.B_1.c'],
  lquery: ['*.a'],
  isbn: ['978-0-393-04002-9'],
  isbn13: ['978-0-393-04002-9'],
  ean13: ['978-0-393-04002-9'],
  issn: ['1436-4522'],
  upc: ['220356483481'],
  cube: ['(1,2)', '(0),(1e300)'],
  seg: ['1.5 .. 2'],
}

export const SETUP: readonly string[] = [
  `create extension hstore`,
  `create extension citext`,
  `create extension ltree`,
  `create extension isn`,
  `create extension cube`,
  `create extension seg`,
  `create type mood as enum ('sad', 'so "sad"', 'it''s, {x}', '')`,
  `create type pair as (a text, b int)`,
  `create type floatrange as range (subtype = float8)`,
]

/** Returns the name of the column for a type. */
export const columnName = (type: string): string => type.replace(/[^a-z0-9]+/g, '_').replace(/^_|_$/g, '')

/** Returns a value in quotes, for the text of an array. */
const quoted = (value: string) => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`

function arrayValues(values: readonly string[], delimiter: string): (string | null)[] {
  const list = values.map(quoted)
  const one = list[0]!
  const all = `{${list.join(delimiter)}}`
  const d = delimiter
  return [
    '{}',
    '{NULL}',
    `{${one}${d}NULL${d}NULL}`,
    all,
    `{{${one}${d}${one}}${d}{NULL${d}${one}}}`,
    `[0:1]={${one}${d}${one}}`,
  ]
}

const plain = (types: Readonly<Record<string, readonly string[]>>): ExtremeColumn[] =>
  Object.entries(types).map(([type, values]) => ({ name: columnName(type), type, values }))

const arrays = (types: Readonly<Record<string, readonly string[]>>): ExtremeColumn[] =>
  Object.entries(types).map(([type, values]) => ({
    name: `a_${columnName(type)}`,
    type: `${type}[]`,
    values: arrayValues(values, type === 'box' ? ';' : ','),
  }))

/** Every type with its values. */
export const ALL = { ...VALUES, ...UNKNOWN, ...MADE }
const all: Readonly<Record<string, readonly string[]>> = ALL
export const domainOf = (type: string) => `d_${columnName(type)}`
const NOT_NULL = ['int4', 'text', 'numeric', 'timestamp', 'bytea', 'mood', 'interval', 'date']

const DOMAIN_TYPES = Object.keys(all)
/** The statements that create domains over every type, over domains, and over arrays. */
export const DOMAINS: readonly string[] = [
  ...DOMAIN_TYPES.map(type => `create domain ${domainOf(type)} as ${type}`),
  ...['int4', 'text', 'numeric', 'mood', 'timestamp'].map(t => `create domain dd_${t} as ${domainOf(t)}`),
  ...['int4', 'text', 'numeric', 'mood', 'bytea'].map(t => `create domain da_${t} as ${t}[]`),
  ...NOT_NULL.map(t => `create domain dn_${t} as ${t} not null`),
  `create domain short as varchar(40)`,
  `create domain shorter as short`,
]

const domains = (): ExtremeColumn[] => [
  ...DOMAIN_TYPES.map(type => ({ name: domainOf(type), type: domainOf(type), values: all[type]!.slice(0, 4) })),
  ...['int4', 'text', 'numeric', 'mood', 'timestamp'].map(t => ({
    name: `dd_${t}`,
    type: `dd_${t}`,
    values: all[t]!.slice(0, 3),
  })),
  ...['int4', 'text', 'numeric', 'mood', 'bytea'].map(t => ({
    name: `da_${t}`,
    type: `da_${t}`,
    values: arrayValues(all[t]!, ',').slice(0, 4),
  })),
  ...Object.keys(all)
    .filter(t => !/vector$/.test(t))
    .map(t => ({
      name: `ad_${columnName(t)}`,
      type: `${domainOf(t)}[]`,
      values: arrayValues(all[t]!, t === 'box' ? ';' : ',').slice(0, 4),
    })),
  { name: 'a_finite', type: 'numeric[]', values: [`{${NUMBERS.join(',')}}`] },
  { name: 'shorter', type: 'shorter', values: ['a'] },
]

/** Nullable columns of every type, of arrays and of domains. */
export const COLUMNS: readonly ExtremeColumn[] = [...plain(all), ...arrays(all), ...domains()]

/** Columns whose types are NOT NULL domains. */
const NOT_NULL_DOMAINS: readonly ExtremeColumn[] = NOT_NULL.map(t => ({
  name: `dn_${t}`,
  type: `dn_${t}`,
  values: all[t]!,
}))

/** Returns a value that every mode can represent; null if the list does not contain one. */
const usual = (values: readonly (string | null)[]): string | null =>
  values.find(v => v?.startsWith('2024')) ??
  values.find(v => v !== null && v !== '' && !/infinity|NaN|BC/i.test(v)) ??
  null

/**
 * Reduces the values of a NOT NULL column to one that every mode can represent. Debezium's task
 * fails at other values.
 */
const ordinary = (c: ExtremeColumn): ExtremeColumn => ({ ...c, values: [usual(c.values) ?? ''] })

/** NOT NULL columns, each with one value. */
export const REQUIRED: readonly ExtremeColumn[] = [
  ...COLUMNS.filter(c => !/^(d|dd|da|ad)_/.test(c.name) && !c.type.endsWith('[]') && !/vector$/.test(c.type)),
  ...COLUMNS.filter(c => /^a_(int4|text|numeric|bytea|uuid|hstore|citext)$/.test(c.name)),
  ...NOT_NULL_DOMAINS,
].map(ordinary)

const filled = (type: string, value: string, count = 60): string =>
  `array_fill('${value.replaceAll("'", "''")}'::${type}, array[${count}])`

/**
 * A column for each type whose large values are stored outside of the row (TOAST). `value` is an
 * SQL expression of a large value.
 */
export const LARGE: readonly { readonly name: string; readonly type: string; readonly value: string }[] = [
  ...['text', 'varchar', 'varchar(5000)', 'bpchar', 'char(400)', 'citext'].map(type => ({
    type,
    value: `repeat('t', 300)`,
  })),
  { type: 'bytea', value: `decode(repeat('ab', 300), 'hex')` },
  { type: 'json', value: `to_json(repeat('j', 300))` },
  { type: 'jsonb', value: `to_jsonb(repeat('j', 300))` },
  { type: 'xml', value: `('<a>' || repeat('x', 300) || '</a>')::xml` },
  { type: 'numeric', value: `repeat('9', 1000)::numeric` },
  { type: 'varbit', value: `repeat('10', 1600)::varbit` },
  { type: 'bit(3200)', value: `repeat('10', 1600)::bit(3200)` },
  { type: 'tsvector', value: `(select string_agg('w' || i, ' ') from generate_series(1, 100) i)::tsvector` },
  { type: 'path', value: `('[' || repeat('(1,2),', 40) || '(0,0)]')::path` },
  { type: 'polygon', value: `('(' || repeat('(1,2),', 40) || '(0,0))')::polygon` },
  { type: 'numrange', value: `numrange(repeat('8', 1000)::numeric, repeat('9', 1000)::numeric)` },
  { type: 'nummultirange', value: `nummultirange(numrange(repeat('8', 1000)::numeric, repeat('9', 1000)::numeric))` },
  { type: 'hstore', value: `hstore('k', repeat('h', 300))` },
  { type: 'ltree', value: `text2ltree(repeat('abcdefgh.', 40) || 'z')` },
  { type: 'pair', value: `row(repeat('p', 300), 1)::pair` },
  { type: 'd_text', value: `repeat('d', 300)` },
  { type: 'd_jsonb', value: `to_jsonb(repeat('d', 300))` },
  { type: 'd_bytea', value: `decode(repeat('ab', 300), 'hex')` },
  ...Object.entries({ ...ALL, 'timestamp(3)': ['2024-01-01 00:00:00'] })
    .filter(
      ([type]) =>
        !/^(numeric\(1000|varchar\(12|timestamptz\(0|time\(6|lquery|isbn13|ean13|issn|upc|seg|.*vector|reg|.*snapshot|xid8|cid)/.test(
          type,
        ),
    )
    .map(([type, values]) => ({ type: `${type}[]`, value: filled(type, usual(values) ?? '') })),
  { type: 'd_text[]', value: filled('d_text', 'a') },
  { type: 'da_int4', value: filled('int4', '1') },
  { type: 'da_text', value: filled('text', 'a') },
  { type: 'da_mood', value: filled('mood', 'sad') },
].map(c => ({ ...c, name: `l_${columnName(c.type)}${c.type.endsWith('[]') ? '_a' : ''}` }))

/**
 * NOT NULL columns with all their values. Debezium's task fails at a value that its mode cannot
 * represent.
 */
export const REQUIRED_EXTREMES: readonly ExtremeColumn[] = [
  ...plain({ ...VALUES, ...UNKNOWN }),
  ...arrays({ ...VALUES, ...UNKNOWN }),
]
