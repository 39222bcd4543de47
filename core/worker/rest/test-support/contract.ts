import { sleep } from '../../../common/async/sleep.ts'
/**
 * An answer of the REST API. The peer test sends the requests in this file to Kafka Connect 4.3.1
 * and to Millrace, and their answers must be equal.
 */
export interface Answer {
  readonly status: number
  readonly type: string | null
  readonly location: string | null
  readonly body: unknown
}

export interface Step {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** A body that is sent without conversion to JSON. */
  readonly raw?: string | Uint8Array<ArrayBuffer>
  /**
   * The states of the connector and its tasks for which `perform` waits before it returns the
   * answer.
   */
  readonly until?: readonly string[]
  /**
   * The status of our answer if it differs from Connect's on purpose (see docs/compatibility.md).
   * The messages are then not compared.
   */
  readonly deviates?: number
  /** Whether only the status is compared. */
  readonly statusOnly?: boolean
}

export async function ask(base: string, step: Step): Promise<Answer> {
  const payload = step.raw ?? (step.body === undefined ? undefined : JSON.stringify(step.body))
  const response = await fetch(base + step.path, {
    method: step.method,
    headers: { ...(payload === undefined ? {} : { 'content-type': 'application/json' }), ...step.headers },
    ...(payload === undefined ? {} : { body: payload }),
    signal: AbortSignal.timeout(60_000),
  })
  const text = await response.text()
  const type = response.headers.get('content-type')
  return {
    status: response.status,
    type,
    location: response.headers.get('location')?.replace(base, '') ?? null,
    body: text !== '' && (type?.includes('json') || text.startsWith('{')) ? JSON.parse(text) : text,
  }
}

/**
 * Replaces the parts of an answer that always differ: addresses, versions, stack traces, and the
 * order of sets.
 */
export function normalise(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalise)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]): [string, unknown] => {
        if (key === 'worker_id' || key === 'version' || key === 'trace') return [key, typeof item]
        return [key, normalise(item)]
      })
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

const source = (file: string, more: Record<string, unknown> = {}) => ({
  'connector.class': 'FileStreamSource',
  topic: 'rest-topic',
  file,
  ...more,
})
const sink = (file: string, more: Record<string, unknown> = {}) => ({
  'connector.class': 'FileStreamSink',
  topics: 'rest-topic',
  file,
  ...more,
})
const get = (path: string, more: Partial<Step> = {}): Step => ({ method: 'GET', path, ...more })
const put = (path: string, body?: unknown, more: Partial<Step> = {}): Step => ({ method: 'PUT', path, body, ...more })
const post = (path: string, body?: unknown, more: Partial<Step> = {}): Step => ({ method: 'POST', path, body, ...more })
const create = (name: string, config: unknown, more: Partial<Step> = {}) => post('/connectors', { name, config }, more)

/** Requests for a connector that does not exist. */
export const absent: readonly Step[] = [
  get('/connectors/x'),
  get('/connectors/x/config'),
  get('/connectors/x/status'),
  get('/connectors/x/tasks'),
  get('/connectors/x/tasks/0/status'),
  get('/connectors/x/tasks/abc/status'),
  get('/connectors/x/topics'),
  get('/connectors/x/offsets'),
  put('/connectors/x/topics/reset'),
  put('/connectors/x/pause'),
  put('/connectors/x/resume'),
  put('/connectors/x/stop'),
  post('/connectors/x/restart'),
  post('/connectors/x/restart?includeTasks=true'),
  post('/connectors/x/tasks/0/restart'),
  { method: 'DELETE', path: '/connectors/x' },
  { method: 'DELETE', path: '/connectors/x/offsets' },
  { method: 'PATCH', path: '/connectors/x/offsets', body: { offsets: [] } },
  { method: 'PATCH', path: '/connectors/x/offsets', body: {} },
  { method: 'PATCH', path: '/connectors/x/offsets', body: { offsets: [{ partition: { a: 1 }, offset: { b: 1 } }] } },
  { method: 'PATCH', path: '/connectors/x/config', body: { a: 'b' } },
  get('/nope'),
  get('/connectors'),
  get('/connectors/'),
  get('/connectors?expand=status&expand=info'),
]

const VALIDATE = '/connector-plugins/FileStreamSource/config/validate'
const text = (more: Record<string, unknown> = {}) => JSON.stringify(source('/f', { name: 'x', ...more }))
const bytes = (content: string, encoding: BufferEncoding): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.from(content, encoding))

/** Requests with bodies in different encodings, and with null values. */
export const bodies: readonly Step[] = [
  put(VALIDATE, undefined, { raw: `\ufeff${text()}` }),
  put(VALIDATE, undefined, { raw: bytes(text(), 'utf16le') }),
  put(VALIDATE, undefined, { raw: bytes(`\ufeff${text()}`, 'utf16le') }),
  put(VALIDATE, undefined, { raw: new Uint8Array(bytes(text(), 'utf16le')).map((_, i, all) => all[i ^ 1]!) }),
  put(VALIDATE, undefined, { raw: text({ x: 'ä' }), headers: { 'content-type': 'application/json; charset=latin1' } }),
  put(VALIDATE, undefined, { raw: text({ x: 'ä' }), headers: { 'content-type': 'application/json; charset=nope' } }),
  put(VALIDATE, undefined, { raw: bytes(text({ x: 'ä' }), 'latin1'), deviates: 400 }),
  put(VALIDATE, undefined, { raw: bytes(text({ ä: 'x' }), 'latin1'), deviates: 400 }),
  put(VALIDATE, undefined, {
    raw: bytes(text({ x: 'ä' }), 'latin1'),
    headers: { 'content-type': 'application/json; charset=ISO-8859-1' },
    deviates: 400,
  }),
  post('/connectors', undefined, { raw: bytes('{"name":"x","config":{"a":"\xff"}}', 'latin1'), deviates: 400 }),
  post('/connectors', undefined, { raw: bytes('\xef\xbb\xbf', 'latin1'), deviates: 400 }),
  ...[
    { zz: null },
    { 'batch.size': null },
    { 'key.converter': null },
    { 'producer.override.acks': null },
    { 'tasks.max': null },
    { transforms: null },
    { predicates: null },
    { 'errors.tolerance': null },
    { 'transforms.a.type': null, transforms: 'a' },
    { 'topic.creation.default.partitions': null },
    { name: '\u0000\u001fx\u0007' },
    { name: '\u00a0' },
    { 'tasks.max': '\u00a01' },
    { 'tasks.max': '\u00011\u0001' },
    { 'tasks.max': '+1' },
    { transforms: 'a\u00a0,b' },
  ].map(more => put(VALIDATE, source('/f', { name: 'x', ...more }))),
  create('x', source('/f', { zz: null })),
  put('/connectors/x/config', source('/f', { 'errors.tolerance': null })),
  put('/connectors/x/config', source('/f', { 'connector.class': null }), { statusOnly: true }),
  create('x', { ...source('/f'), topic: [1] }, { deviates: 400 }),
]

/** Requests with invalid methods, content types and bodies. */
export const malformed: readonly Step[] = [
  put('/connectors'),
  { method: 'DELETE', path: '/connectors' },
  { method: 'PATCH', path: '/connectors' },
  post('/connectors', undefined, { raw: 'x', headers: { 'content-type': 'text/plain' } }),
  get('/connectors', { headers: { accept: 'text/html' } }),
  { method: 'HEAD', path: '/connectors' },
  { method: 'OPTIONS', path: '/connectors', statusOnly: true },
  post('/connectors', undefined, { raw: '{bad', deviates: 400 }),
  post('/connectors', [], { deviates: 400 }),
  post('/connectors', null, { deviates: 400 }),
  post('/connectors', undefined, { deviates: 400 }),
  post('/connectors', { foo: 1 }, { deviates: 400 }),
  post('/connectors', { name: 'x' }, { deviates: 400 }),
  post('/connectors', { name: 'x', initial_state: 'foo', config: source('/f') }, { deviates: 400 }),
  create('x', { ...source('/f'), topic: { a: 1 } }, { deviates: 400 }),
  create('x', {}),
  create('x', { ...source('/f'), name: 'y' }),
  create('x', { 'connector.class': 'Nope' }, { statusOnly: true }),
  create('x', { 'connector.class': 'FileStreamSource' }),
  create('', source('/f')),
  post('/connectors', { config: source('/f') }),
  create('x', source('/f', { 'tasks.max': 'x' })),
  create('x', source('/f', { 'tasks.max': '0', transforms: 'a', 'errors.tolerance': 'foo' })),
  create('x', source('/f', { transforms: 'a,a,b', 'transforms.b.type': 'Nope' })),
  create('x', source('/f', { 'key.converter': 'Nope' })),
  create('x', source('/f', { predicates: 'p', 'predicates.p.type': 'Nope' })),
  create('x', source('/f', { 'exactly.once.support': 'required' })),
  create('x', source('/f', { 'transaction.boundary': 'connector' })),
  create('x', { 'connector.class': 'FileStreamSink' }),
  create('x', sink('/f', { 'topics.regex': 'b' })),
  create('x', sink('/f', { 'errors.deadletterqueue.topic.name': 'rest-topic' })),
  create('x', { 'connector.class': 'FileStreamSink', 'topics.regex': '[' }, { statusOnly: true }),
  create('x', {
    'connector.class': 'FileStreamSink',
    'topics.regex': 'a.*',
    'errors.deadletterqueue.topic.name': 'ab',
  }),
  put('/connectors/x/config', { name: 'zz', ...source('/f') }),
  put('/connector-plugins/Nope/config/validate', { 'connector.class': 'Nope' }, { deviates: 400 }),
  put('/connector-plugins/FileStreamSource/config/validate', { 'connector.class': 'FileStreamSink' }),
  put('/connector-plugins/FileStreamSource/config/validate', [], { deviates: 400 }),
  get('/connector-plugins/Nope/config'),
  get('/connector-plugins/FileStreamSource/config?version=9', { statusOnly: true }),
  get('/admin/loggers/nope'),
  put('/admin/loggers/a.b', { level: 'nope' }),
  put('/admin/loggers/a.b', {}),
  put('/admin/loggers/a.b', { level: 'debug' }),
  put('/admin/loggers/a.b?scope=cluster', { level: 'info' }),
]

/**
 * Returns the requests in the lifecycle of a source and a sink. Both workers must be able to read
 * and write the folder `dir`.
 */
export function lifecycle(dir: string): readonly Step[] {
  const file = `${dir}/in.txt`
  const partition = { filename: file }
  const status = (until: readonly string[]) => get('/connectors/s1/status', { until })
  const patchOffsets = (offsets: unknown, more: Partial<Step> = {}): Step => ({
    method: 'PATCH',
    path: '/connectors/s1/offsets',
    body: { offsets },
    ...more,
  })
  const patchRaw = (name: string, offsets: string, more: Partial<Step> = {}): Step => ({
    method: 'PATCH',
    path: `/connectors/${name}/offsets`,
    raw: `{"offsets":${offsets}}`,
    ...more,
  })
  const kafka = (p: unknown, offset: unknown) => [{ partition: p, offset }]
  const at = { kafka_topic: 'rest-topic', kafka_partition: 0 }
  const patchSink = (offsets: unknown, more: Partial<Step> = {}): Step => ({
    method: 'PATCH',
    path: '/connectors/k1/offsets',
    body: { offsets },
    ...more,
  })
  return [
    create('s1', source(file, { 'tasks.max': 2, flag: true })),
    status(['RUNNING', 'RUNNING']),
    create('s1', source(file)),
    get('/connectors'),
    get('/connectors/s1'),
    get('/connectors/s1/config'),
    get('/connectors/s1/tasks'),
    get('/connectors/s1/tasks/0/status'),
    get('/connectors/s1/tasks/1/status'),
    get('/connectors?expand=status&expand=info'),
    get('/connectors?expand=nope'),
    patchOffsets([{ partition, offset: { position: 1 } }]),
    { method: 'DELETE', path: '/connectors/s1/offsets' },
    put('/connectors/s1/pause'),
    status(['PAUSED', 'PAUSED']),
    put('/connectors/s1/resume'),
    status(['RUNNING', 'RUNNING']),
    post('/connectors/s1/restart'),
    status(['RUNNING', 'RUNNING']),
    post('/connectors/s1/restart?includeTasks=true'),
    status(['RUNNING', 'RUNNING']),
    post('/connectors/s1/restart?onlyFailed=true'),
    post('/connectors/s1/tasks/0/restart'),
    status(['RUNNING', 'RUNNING']),
    post('/connectors/s1/tasks/7/restart'),
    post('/connectors/s1/tasks/abc/restart'),
    put('/connectors/s1/stop'),
    status(['STOPPED']),
    get('/connectors/s1/tasks'),
    get('/connectors/s1'),
    patchOffsets([{ partition, offset: { position: 1 } }], { statusOnly: true }),
    get('/connectors/s1/offsets'),
    patchOffsets([{ partition, offset: null }], { statusOnly: true }),
    get('/connectors/s1/offsets'),
    patchOffsets([{ partition: { filenam: file }, offset: { position: 1 } }], { deviates: 400 }),
    patchOffsets([{ partition, offset: { position: -1 } }], { deviates: 400 }),
    patchOffsets([{ partition, offset: { position: 1.5 } }], { deviates: 400 }),
    patchOffsets([{ partition, offset: { position: '1' } }], { deviates: 400 }),
    patchOffsets([{ partition, offset: {} }], { deviates: 400 }),
    patchRaw('s1', `[{"partition":${JSON.stringify(partition)},"offset":{"position":1.0}}]`, { deviates: 400 }),
    { method: 'PATCH', path: '/connectors/s1/offsets', body: { foo: [] }, deviates: 400 },
    { method: 'DELETE', path: '/connectors/s1/offsets', statusOnly: true },
    get('/connectors/s1/offsets'),
    put('/connectors/s1/pause'),
    status(['PAUSED']),
    put('/connectors/s1/topics/reset'),
    get('/connectors/s1/topics', { statusOnly: true }),
    { method: 'PATCH', path: '/connectors/s1/config', body: { 'tasks.max': '3', flag: null } },
    put('/connectors/s1/config', source(file)),
    { method: 'PATCH', path: '/connectors/s1/config', body: { topic: null } },
    put('/connectors/new/config', source(`${dir}/none.txt`)),
    post('/connectors', { name: 'init', initial_state: 'STOPPED', config: source(file) }),
    get('/connectors/init/status', { until: ['STOPPED'] }),
    post('/connectors', { name: 'initp', initial_state: 'paused', config: source(file) }),
    get('/connectors/initp/status', { until: ['PAUSED'] }),
    create('k é', sink(`${dir}/o.txt`)),
    create('k1', sink(`${dir}/out.txt`)),
    get('/connectors/k1/status', { until: ['RUNNING', 'RUNNING'] }),
    get('/connectors/k1/tasks'),
    put('/connectors/k1/stop'),
    get('/connectors/k1/status', { until: ['STOPPED'] }),
    { method: 'DELETE', path: '/connectors/k1/offsets' },
    get('/connectors/k1/offsets'),
    patchSink(kafka(at, { kafka_offset: 1 })),
    get('/connectors/k1/offsets'),
    patchSink(kafka({ kafka_topic: 'rest-topic' }, { kafka_offset: 1 })),
    patchSink(kafka({ ...at, kafka_partition: 'x' }, { kafka_offset: 1 })),
    patchSink(kafka(at, { offset: 1 })),
    patchSink(kafka(at, { kafka_offset: 'x' })),
    patchSink(kafka(at, { kafka_offset: '-1' }), { deviates: 400 }),
    patchSink(kafka(at, { kafka_offset: 1.5 })),
    patchSink(kafka(at, { kafka_offset: '1.0' })),
    patchSink(kafka(at, { kafka_offset: true })),
    patchSink(kafka(at, { kafka_offset: [1] })),
    patchSink(kafka({ ...at, kafka_partition: 0.5 }, { kafka_offset: 1 })),
    patchSink(kafka({ ...at, kafka_partition: 2147483648 }, { kafka_offset: 1 })),
    patchRaw('k1', `[{"partition":${JSON.stringify(at)},"offset":{"kafka_offset":1.0}}]`),
    patchRaw('k1', `[{"partition":${JSON.stringify(at)},"offset":{"kafka_offset":1e0}}]`),
    patchRaw('k1', `[{"partition":${JSON.stringify(at)},"offset":{"kafka_offset":1e400}}]`, { statusOnly: true }),
    patchRaw('k1', `[{"partition":${JSON.stringify(at)},"offset":{"kafka_offset":9223372036854775808}}]`),
    patchSink(kafka(at, null)),
    get('/connectors/k1/offsets'),
    patchSink(kafka({ ...at, kafka_partition: '0', z: 1 }, { kafka_offset: 2 })),
    get('/connectors/k1/offsets'),
    { method: 'DELETE', path: '/connectors/k1/offsets' },
    get('/connectors/k1/offsets'),
    ...['s1', 'new', 'init', 'initp', 'k%20%C3%A9', 'k1'].map(
      (name): Step => ({ method: 'DELETE', path: `/connectors/${name}` }),
    ),
  ]
}

/**
 * Sends the request of a step and returns the answer. If the step has `until`, repeats the request
 * until the states are reached or the time limit has passed.
 */
export async function perform(base: string, step: Step, timeoutMs = 30_000): Promise<Answer> {
  for (const end = Date.now() + timeoutMs; ; ) {
    const answer = await ask(base, step)
    if (!step.until || sameStates(answer.body, step.until) || Date.now() > end) return answer
    await sleep(100)
  }
}

function sameStates(body: unknown, until: readonly string[]): boolean {
  const status = body as { connector?: { state: string }; tasks?: { state: string }[] } | null
  const states = [status?.connector?.state, ...(status?.tasks ?? []).map(t => t.state)]
  return states.length === until.length && states.every((s, i) => s === until[i])
}

/**
 * Returns a description of the difference between Connect's answer and ours; null if the answers
 * are equal or differ as the step expects.
 */
export function difference(step: Step, theirs: Answer, ours: Answer): string | null {
  const name = `${step.method} ${step.path} ${step.raw ?? JSON.stringify(step.body) ?? ''}`
  const show = (a: Answer) => `${a.status} ${JSON.stringify(a.body)}`
  if (step.deviates !== undefined) {
    const message = (ours.body as { message?: unknown } | null)?.message
    if (ours.status === step.deviates && typeof message === 'string' && theirs.status !== ours.status) return null
    return `${name}: expected to deviate with ${step.deviates}\n  theirs ${show(theirs)}\n  ours   ${show(ours)}`
  }
  const same =
    theirs.status === ours.status &&
    (step.statusOnly ||
      (theirs.location === ours.location &&
        JSON.stringify(normalise(theirs.body)) === JSON.stringify(normalise(ours.body))))
  return same ? null : `${name}\n  theirs ${show(theirs)} ${theirs.location}\n  ours   ${show(ours)} ${ours.location}`
}
