import type { Answer, Step } from './contract.ts'

type Config = Readonly<Record<string, string | null>>

const BASE: Config = { 'connector.class': 'FileStreamSource', name: 'x', topic: 't', file: '/tmp/x' }
const SINK: Config = { 'connector.class': 'FileStreamSink', name: 'x', topics: 't', file: '/tmp/x' }

/** Returns configurations of a transformation with the alias `a`. */
function transform(type: string, ...variants: Config[]): Config[] {
  return variants.map(props => ({
    ...BASE,
    transforms: 'a',
    'transforms.a.type': `org.apache.kafka.connect.transforms.${type}`,
    ...Object.fromEntries(Object.entries(props).map(([key, value]) => [`transforms.a.${key}`, value])),
  }))
}

/** Returns configurations of a predicate with the alias `p`. */
function predicate(type: string, ...variants: Config[]): Config[] {
  return variants.map(props => ({
    ...BASE,
    predicates: 'p',
    'predicates.p.type': `org.apache.kafka.connect.transforms.predicates.${type}`,
    ...Object.fromEntries(Object.entries(props).map(([key, value]) => [`predicates.p.${key}`, value])),
  }))
}

/** Returns configurations of a transformation's `$Key` and `$Value` classes. */
const both = (type: string, ...variants: Config[]): Config[] => [
  ...transform(`${type}$Key`, ...variants),
  ...transform(`${type}$Value`, ...variants),
]

const each = (key: string, values: readonly (string | null)[], rest: Config = {}): Config[] =>
  values.map(value => ({ ...rest, [key]: value }))

const LISTS = ['', ' ', 'a', 'a,b', 'b,b', 'a,a,b', 'a,,b', ',', ',a', 'a,', ' a , b ', 'a, ', null]
const TEXTS = ['', ' ', 'a', ' a ', null]
const BOOLEANS = ['', 'true', 'TRUE', ' false ', 'yes', '1', null]
const SYNTAX = ['', 'V1', 'v2', 'V3', ' V1 ', null]

const CASTS = [
  ...LISTS,
  'int8',
  'v:int8',
  'v:bogus',
  'bogus',
  'a:int8,int8',
  'int8,int16',
  'a:int8,b:string',
  'a:int8,a:int16',
  'a:int8:x',
  ':int8',
  'a:',
  'a :int8',
  'a: int8',
  'INT8',
  'float32',
  'float64',
  'boolean',
  'bytes',
  'array',
  'struct',
  'map',
  'v:bytes',
  'Date',
  'int8 ',
  'a:int8,,b:int8',
]
const REGEXES = [
  ...TEXTS,
  'shop\\-(.*)',
  '(',
  '[a',
  '*',
  'a**',
  '\\Qa\\E',
  '(?i)a',
  'a{2,1}',
  '\\y',
  'a++',
  '(?<n>a)\\k<n>',
  '\\k<m>',
  '\\p{Foo}',
  '(?<=a*)b',
  'x\\',
]
const RENAMES = ['', 'a:b', 'a:b,c:d', 'a', 'a:', ':b', 'a:b:c', 'a:b,a:c', 'a:b,c:b', 'a:b,,c:d', 'a: b', null]

/**
 * Configurations for which our validation must have the same number of errors and the same messages
 * as that of Kafka Connect 4.3.1.
 */
export const validations: readonly Config[] = [
  ...both('Cast', {}, ...each('spec', CASTS), ...each('replace.null.with.default', BOOLEANS, { spec: 'int8' })),
  ...transform('DropHeaders', {}, ...each('headers', LISTS)),
  ...both(
    'ExtractField',
    {},
    ...each('field', [...TEXTS, 'a.b', '`a', '`a`', 'a.`b']),
    ...each('field', ['a.b', '`a', '`a`', '`a`b', 'a..b', '.', '`a.b`.c', '`a\\`b`', 'a.`b'], {
      'field.syntax.version': 'V2',
    }),
    ...each('field.syntax.version', SYNTAX, { field: 'a' }),
    ...each('replace.null.with.default', BOOLEANS, { field: 'a' }),
  ),
  ...transform('Filter', {}, { predicate: 'p' }, { predicate: '' }, { negate: 'true' }, { negate: 'x' }),
  ...both('Flatten', {}, ...each('delimiter', ['', '.', '_', '..', ' ', null])),
  ...both(
    'HeaderFrom',
    {},
    ...each('fields', LISTS, { headers: 'h,i', operation: 'copy' }),
    ...each('headers', LISTS, { fields: 'f,g', operation: 'copy' }),
    ...each('operation', ['', 'copy', 'move', 'COPY', 'Move', 'delete', ' copy ', null], { fields: 'f', headers: 'h' }),
    ...each('replace.null.with.default', BOOLEANS, { fields: 'f', headers: 'h', operation: 'copy' }),
    { fields: 'a' },
    { headers: 'a' },
    { operation: 'copy' },
    { fields: 'a,b', headers: 'a', operation: 'copy' },
    { fields: '', headers: '', operation: '' },
  ),
  ...both('HoistField', {}, ...each('field', TEXTS)),
  ...both(
    'InsertField',
    {},
    ...each('static.field', ['', 'a', 'a!', 'a?', '!', '?', ' ', null]),
    ...each('static.value', TEXTS),
    { 'static.field': 'a', 'static.value': 'v' },
    { 'static.field': 'a', 'static.value': '' },
    ...each('topic.field', ['', 'a', 'a!', 'a?', '?']),
    ...each('partition.field', ['', 'a', 'a!']),
    ...each('offset.field', ['', 'a', 'a!']),
    ...each('timestamp.field', ['', 'a', 'a!']),
    ...each('replace.null.with.default', BOOLEANS),
  ),
  ...transform(
    'InsertHeader',
    {},
    ...each('header', TEXTS, { 'value.literal': 'v' }),
    ...each('value.literal', [...TEXTS, '[1', '{'], { header: 'h' }),
    { header: 'h' },
    { 'value.literal': 'v' },
  ),
  ...both(
    'MaskField',
    {},
    ...each('fields', LISTS),
    ...each('replacement', ['', 'x', ' ', '1', null], { fields: 'a' }),
    ...each('replace.null.with.default', BOOLEANS, { fields: 'a' }),
  ),
  ...transform(
    'RegexRouter',
    {},
    ...each('regex', REGEXES, { replacement: '$1' }),
    ...each('replacement', ['', '$1', '$', '\\', '${a}', null], { regex: '(.*)' }),
    { regex: '.*' },
    { replacement: 'x' },
  ),
  ...both(
    'ReplaceField',
    {},
    ...each('exclude', LISTS),
    ...each('include', LISTS),
    ...each('renames', RENAMES),
    { include: 'a', exclude: 'a' },
    { include: 'a', exclude: 'b' },
    ...each('replace.null.with.default', BOOLEANS),
  ),
  ...both(
    'SetSchemaMetadata',
    {},
    ...each('schema.name', TEXTS),
    ...each('schema.version', ['', '1', '-1', 'x', '1.5', ' 2 ', '2147483648', null]),
    ...each('replace.null.with.default', BOOLEANS),
  ),
  ...both(
    'TimestampConverter',
    {},
    ...each('target.type', ['', 'string', 'unix', 'Date', 'Time', 'Timestamp', 'date', 'x', null]),
    ...each('format', ['', 'yyyy', 'bogus', "yyyy'", 'b', null], { 'target.type': 'string' }),
    ...each('format', ['', 'yyyy', 'bogus', null], { 'target.type': 'unix' }),
    ...each('unix.precision', ['', 'seconds', 'MILLISECONDS', 'x', null], { 'target.type': 'unix' }),
    ...each('field', TEXTS, { 'target.type': 'unix' }),
    { field: 'a' },
    { format: 'yyyy' },
  ),
  ...transform(
    'TimestampRouter',
    {},
    ...each('topic.format', TEXTS),
    ...each('timestamp.format', ['', 'yyyy', 'bogus', "yyyy'", null]),
  ),
  ...transform(
    'ValueToKey',
    {},
    ...each('fields', LISTS),
    ...each('replace.null.with.default', BOOLEANS, { fields: 'a' }),
  ),
  ...predicate('HasHeaderKey', {}, ...each('name', TEXTS)),
  ...predicate('RecordIsTombstone', {}, { x: 'y' }),
  ...predicate('TopicNameMatches', {}, ...each('pattern', REGEXES)),
  ...stages(),
  ...connectors(),
]

/** Returns configurations with valid and invalid aliases, predicates and `negate`. */
function stages(): Config[] {
  const drop: Config = {
    ...BASE,
    transforms: 'a',
    'transforms.a.type': 'org.apache.kafka.connect.transforms.DropHeaders',
    'transforms.a.headers': 'h',
  }
  const withPredicate: Config = {
    ...drop,
    predicates: 'p',
    'predicates.p.type': 'org.apache.kafka.connect.transforms.predicates.RecordIsTombstone',
  }
  const key = (name: string, values: readonly (string | null)[], base: Config) => each(name, values, base)
  return [
    ...key('transforms.a.negate', BOOLEANS, drop),
    ...key('transforms.a.negate', BOOLEANS, { ...withPredicate, 'transforms.a.predicate': 'p' }),
    ...key('transforms.a.predicate', ['', ' ', 'p', ' p ', null], withPredicate),
    { ...withPredicate, 'transforms.a.negate': 'true' },
    ...key('transforms', LISTS, {
      ...drop,
      'transforms.b.type': String(drop['transforms.a.type']),
      'transforms.b.headers': 'h',
    }),
    ...key('predicates', LISTS, {
      ...withPredicate,
      'predicates.a.type': String(withPredicate['predicates.p.type']),
      'predicates.b.type': String(withPredicate['predicates.p.type']),
    }),
    ...key(
      'transforms.a.type',
      ['', ' ', 'Nope', 'org.apache.kafka.connect.json.JsonConverter', 'java.lang.String', null],
      drop,
    ),
    ...key('predicates.p.type', ['', ' ', 'Nope', 'org.apache.kafka.connect.transforms.Filter', null], withPredicate),
    { ...BASE, transforms: 'a' },
    { ...BASE, predicates: 'p' },
    { ...BASE, transforms: 'a,b', 'transforms.a.type': 'Nope', 'transforms.b.type': 'Nope' },
    { ...BASE, 'transforms.z.type': 'Nope' },
  ]
}

/** Returns configurations with valid and invalid values of the keys that the runtime adds. */
function connectors(): Config[] {
  const NUMBERS = [
    '',
    ' ',
    '0',
    '1',
    '-1',
    '-2',
    ' 1 ',
    '+1',
    '1.0',
    '1e1',
    '0x1',
    'x',
    '2147483648',
    '9223372036854775808',
    null,
  ]
  return [
    ...each('tasks.max', NUMBERS, BASE),
    ...each('errors.retry.timeout', NUMBERS, BASE),
    ...each('errors.retry.delay.max.ms', NUMBERS, BASE),
    ...each('errors.tolerance', ['', 'all', 'ALL', 'none', ' all ', 'x'], BASE),
    ...each('errors.log.enable', BOOLEANS, BASE),
    ...each('errors.log.include.messages', BOOLEANS, BASE),
    ...each('config.action.reload', ['', 'none', 'RESTART', 'x'], BASE),
    ...each('tasks.max.enforce', BOOLEANS, BASE),
    ...each('name', ['', ' ', 'a b', 'a/b', 'a\u0001b', ' a '], BASE),
    ...each('batch.size', NUMBERS, BASE),
    ...each('topic', [...TEXTS, 'a,b', 'a b'], BASE),
    ...each('topic.creation.groups', LISTS, BASE),
    ...each('offsets.storage.topic', TEXTS, BASE),
    ...each('transaction.boundary', ['', 'poll', 'INTERVAL', 'connector', 'x'], BASE),
    ...each('transaction.boundary.interval.ms', NUMBERS, BASE),
    ...each('exactly.once.support', ['', 'requested', 'REQUIRED', 'x'], BASE),
    ...['key.converter', 'value.converter', 'header.converter'].flatMap(key =>
      each(key, ['', ' ', 'Nope', 'java.lang.String', 'org.apache.kafka.connect.storage.StringConverter'], BASE),
    ),
    ...each('key.converter.schemas.enable', BOOLEANS, {
      ...BASE,
      'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    }),
    ...each('value.converter.schemas.cache.size', NUMBERS, {
      ...BASE,
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    }),
    ...each('value.converter.decimal.format', ['', 'base64', 'NUMERIC', 'x', null], {
      ...BASE,
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    }),
    ...each('value.converter.converter.type', ['', 'key', 'VALUE', 'x', null], {
      ...BASE,
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    }),
    ...each('value.converter.converter.encoding', ['', 'UTF-8', 'utf8', 'windows-1252', 'nope', null], {
      ...BASE,
      'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
    }),
    ...each('topics', LISTS, SINK),
    ...each('topics.regex', REGEXES, SINK),
    ...each('topics.regex', REGEXES, { ...SINK, topics: '' }),
    ...each('errors.deadletterqueue.topic.name', [...TEXTS, 't', ' t '], SINK),
    ...each('errors.deadletterqueue.topic.replication.factor', NUMBERS, SINK),
    ...each('errors.deadletterqueue.context.headers.enable', BOOLEANS, SINK),
    ...each('file', TEXTS, SINK),
  ]
}

export const validateStep = (body: Config): Step => ({
  method: 'PUT',
  path: `/connector-plugins/${body['connector.class']}/config/validate`,
  body,
})

/**
 * Returns the errors of a validation by key, and their number. The text after `Invalid regex` and
 * the prefix of keys in messages are removed, because they differ from Connect's.
 */
export function errorsOf(answer: Answer): unknown {
  const body = answer.body as { error_count?: number; configs?: { value: { name: string; errors: string[] } }[] } | null
  if (!body?.configs) return { status: answer.status, body: answer.body }
  const errors: Record<string, string[]> = {}
  for (const { value } of body.configs) {
    if (value.errors.length === 0) continue
    errors[value.name] = value.errors
      .map(e =>
        e
          .replace(/(: Invalid regex: ).*/s, '$1')
          .replace(
            /(?<= for configuration )(?:transforms|predicates)\.[ap]\.|(?<= for configuration )(?:key|value)\.converter\./,
            '',
          ),
      )
      .sort()
  }
  return { status: answer.status, count: body.error_count, errors }
}

const CAST_TYPES = /^(?:[^:]*:)?\s*(?:int8|int16|float32|float64|boolean|string)$/i
const hasUnknownType = (spec: string | null | undefined): boolean =>
  spec != null && spec.trim() !== '' && spec.split(',').some(item => !CAST_TYPES.test(item.trim()))

/**
 * The configurations for which our errors differ from Connect's on purpose, with the reason. For
 * all other configurations, the errors must be equal.
 */
export const differences: readonly { readonly why: string; readonly applies: (config: Config) => boolean }[] = [
  {
    why: 'Cast: the message says what is wrong with the spec',
    applies: c => (c['transforms.a.type'] ?? '').includes('.Cast$') && hasUnknownType(c['transforms.a.spec']),
  },
  {
    why: 'a predicate that does not exist is rejected',
    applies: c => c['transforms.a.predicate'] === 'p' && !c['predicates'],
  },
  {
    why: 'Connect answers 500',
    applies: c =>
      ['transforms.a.renames', 'offsets.storage.topic', 'errors.deadletterqueue.topic.name'].some(
        key => c[key] === null,
      ),
  },
  {
    why: 'an empty alias is rejected with a message that says so',
    applies: c => [c['transforms'], c['predicates']].some(list => list != null && /^\s*,|,\s*,|,\s*$/.test(list)),
  },
  {
    why: 'a class that is a plugin of another type is rejected',
    applies: c =>
      ['transforms.a.type', 'predicates.p.type', 'key.converter', 'value.converter', 'header.converter'].some(key =>
        /JsonConverter|String$|Filter/.test(
          key.endsWith('.type') || c[key] === 'java.lang.String' ? (c[key] ?? '') : '',
        ),
      ) && !/\.Filter$/.test(c['transforms.a.type'] ?? ''),
  },
  {
    why: 'a batch size below 1, which reads nothing, is rejected',
    applies: c =>
      (c['batch.size'] != null && !/^\s*\+?[1-9]\d{0,9}\s*$/.test(c['batch.size'])) || c['batch.size'] === '2147483648',
  },
  { why: 'a required key with the value null counts as missing', applies: c => c['topic'] === null },
  {
    why: 'invalid topic.creation.* settings are rejected',
    applies: c => (c['topic.creation.groups'] ?? '').trim() !== '' && c['topic.creation.groups'] !== ',',
  },
  {
    why: 'a negative cache size is rejected, because JsonConverter cannot start with it',
    applies: c => /^-/.test(c['value.converter.schemas.cache.size'] ?? ''),
  },
  { why: 'Connect counts an error, but does not list it', applies: c => c['value.converter.decimal.format'] === null },
  {
    why: 'a character set that does not exist is rejected',
    applies: c => ['nope', ''].includes(c['value.converter.converter.encoding'] ?? 'UTF-8'),
  },
]
