import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, Rig } from './harness.ts'

const rig = new Rig()
const source = (more: Record<string, unknown> = {}) => ({ 'connector.class': 'TestSource', ...more })
const secrets = join(rig.dir, 'secrets.properties')

beforeAll(async () => {
  writeFileSync(secrets, 'pw=out-of-a-file\nmode=fails\n')
  await rig.startBroker()
  await rig.startWorker({
    'config.providers': 'file',
    'config.providers.file.class': 'org.apache.kafka.common.config.provider.FileConfigProvider',
    'response.http.headers.config': 'set X-Frame-Options: DENY, add "Cache-Control: no-cache, no-store"',
    'access.control.allow.origin': 'http://ui.example',
    'access.control.allow.methods': 'GET,PUT',
    'rest.request.max.bytes': '2048',
    'plugin.inspection.timeout.ms': '6000',
    'connector.client.config.override.policy': 'Principal',
    'topic.tracking.allow.reset': 'false',
  })
})
afterAll(() => rig.close())

const errorsOf = (body: unknown) => (body as { message: string }).message
/**
 * Returns a configuration as the config topic stores it, with its secrets. The REST API masks them.
 */
const stored = (name: string) => rig.worker!.herder.storedConfig(name)

test('a secret is shown nowhere, and a request with the masked value keeps the stored secret', async () => {
  const config = source({ secret: 'geheim', 'producer.override.security.protocol': 'PLAINTEXT' })
  const created = await rig.call('POST', '/connectors', { name: 'keeper', config })
  expect(created.status).toBe(201)
  await rig.states('keeper', 'RUNNING', 'RUNNING')
  const paths = ['', '/config', '/tasks', '/status']
  const shown = await Promise.all(
    paths.map(async p => JSON.stringify((await rig.call('GET', `/connectors/keeper${p}`)).body)),
  )
  const expanded = (await rig.call('GET', '/connectors?expand=info&expand=status')).body
  for (const text of [JSON.stringify(created.body), ...shown, JSON.stringify(expanded)]) {
    expect(text).not.toContain('geheim')
  }
  const back = (await rig.call('GET', '/connectors/keeper/config')).body as Record<string, string>
  expect(back['secret']).toBe('[hidden]')
  await rig.call('PUT', '/connectors/keeper/config', { ...back, extra: '1' })
  expect(stored('keeper')).toMatchObject({ secret: 'geheim', extra: '1' })
  await rig.call('PATCH', '/connectors/keeper/config', { secret: 'neu', extra: null })
  expect(stored('keeper')).toMatchObject({ secret: 'neu' })
  expect(stored('keeper')).not.toHaveProperty('extra')
  const infos = await rig.call('PUT', '/connector-plugins/TestSource/config/validate', { ...back, name: 'keeper' })
  expect(infos.body).toMatchObject({ error_count: 0 })
  expect(JSON.stringify(infos.body)).not.toContain('neu')
})

test('a secret in an error, a status or a validation message of a plugin is shown nowhere', async () => {
  const refused = await rig.call('POST', '/connectors', {
    name: 'tells',
    config: source({ secret: 'geheimnis', 'validate.mode': 'tells' }),
  })
  expect(refused.status).toBe(400)
  expect(JSON.stringify(refused.body)).toContain('refused: [hidden]')
  await rig.create('tells-task', source({ secret: 'geheimnis', 'task.mode': 'tells' }))
  await rig.states('tells-task', 'RUNNING', 'FAILED')
  await rig.create('tells-connector', source({ secret: 'geheimnis', 'connector.mode': 'tells' }))
  await rig.states('tells-connector', 'FAILED')
  const statuses = JSON.stringify((await rig.call('GET', '/connectors?expand=status')).body)
  expect(statuses).toContain('cannot connect with [hidden]')
  expect(statuses + JSON.stringify(refused.body)).not.toContain('geheimnis')
  const nameless = await rig.call('PUT', '/connector-plugins/Nope/config/validate', {
    'api.key': 'k1y',
    url: 'x://u:p9@h',
  })
  expect(JSON.stringify(nameless.body)).not.toMatch(/k1y|p9/)
})

test('concurrent changes of one configuration are all applied', async () => {
  await rig.create('busy', source())
  const patches = Array.from({ length: 6 }, (_, i) =>
    rig.call('PATCH', '/connectors/busy/config', { [`key.${i}`]: 'x' }),
  )
  expect((await Promise.all(patches)).map(a => a.status)).toEqual([200, 200, 200, 200, 200, 200])
  const config = (await rig.call('GET', '/connectors/busy/config')).body as Record<string, string>
  expect(Object.keys(config).filter(k => k.startsWith('key.'))).toHaveLength(6)
  await rig.states('busy', 'RUNNING', 'RUNNING')
})

test('after concurrent requests, the connector has the state that the last request asked for', async () => {
  await rig.create('torn', source())
  const all: Promise<{ status: number }>[] = []
  for (let i = 0; i < 8; i++) {
    all.push(rig.call('PUT', '/connectors/torn/config', source({ extra: String(i) })))
    all.push(rig.call('POST', '/connectors/torn/restart?includeTasks=true'))
    all.push(rig.call('PUT', `/connectors/torn/${['pause', 'stop', 'resume'][i % 3]}`))
    all.push(rig.call('POST', '/connectors/torn/tasks/0/restart'))
  }
  for (const { status } of await Promise.all(all)) expect([200, 202, 204, 404]).toContain(status)
  await rig.call('PUT', '/connectors/torn/resume')
  await rig.states('torn', 'RUNNING', 'RUNNING')
  const gone = await Promise.all([
    rig.call('POST', '/connectors/torn/restart?includeTasks=true'),
    rig.call('DELETE', '/connectors/torn'),
    rig.call('PUT', '/connectors/torn/stop'),
  ])
  expect(gone.map(a => a.status)[1]).toBe(204)
  await eventually(async () => (await rig.call('GET', '/connectors/torn/status')).status, 404)
  await rig.create('torn', source())
  await rig.states('torn', 'RUNNING', 'RUNNING')
})

test('numbers in a configuration stay as they are written', async () => {
  const text = '{"connector.class":"TestSource","a":1.10,"b":1e2,"c":12345678901234567890,"tasks.max":1,"d":true}'
  const { status, body } = await rig.call('PUT', '/connectors/digits/config', text, {
    'content-type': 'application/json',
  })
  expect(status).toBe(201)
  expect(body).toMatchObject({
    config: { a: '1.10', b: '1e2', c: '12345678901234567890', 'tasks.max': '1', d: 'true' },
  })
  const patched = await rig.call('PATCH', '/connectors/digits/config', '{"a":2.0}', {
    'content-type': 'application/json',
  })
  expect(patched.body).toMatchObject({ config: { a: '2.0' } })
})

test('a name that is not valid Unicode is rejected, and nothing is created', async () => {
  const answer = await rig.call(
    'POST',
    '/connectors',
    '{"name":"half\\ud800","config":{"connector.class":"TestSource"}}',
    {
      'content-type': 'application/json',
    },
  )
  expect(answer.status).toBe(400)
  expect((answer.body as { message: string }).message).toContain('half of a surrogate pair')
  const names = (await rig.call('GET', '/connectors')).body as string[]
  expect(names.filter(n => n.startsWith('half'))).toEqual([])
})

test('a masked secret without a stored value is rejected', async () => {
  const { status, body } = await rig.call('POST', '/connectors', {
    name: 'masked',
    config: source({ secret: '[hidden]' }),
  })
  expect(status).toBe(400)
  expect(errorsOf(body)).toMatch(/The value of secret contains \[hidden\]/)
})

test('a password in a URL is hidden in validation errors and values, also if the URL is invalid', async () => {
  const es = { 'connector.class': 'ElasticsearchSink', name: 'x', topics: 't' }
  const urls = [
    'http://u:sesame@h',
    'http://u:se/sa@me@h',
    'u:sesame@h:9200',
    'htp:/u:sesame@h',
    'jdbc:x://h?password=sesame',
  ]
  for (const url of urls) {
    const config = { ...es, 'connection.url': url, 'consumer.override.bootstrap.servers': url }
    const path = '/connector-plugins/ElasticsearchSink/config/validate'
    const { status, body } = await rig.call('PUT', path, config)
    expect(status).toBe(200)
    expect(JSON.stringify(body), url).toContain('[hidden]')
    expect(JSON.stringify(body), url).not.toMatch(/sesame|sa@me/)
  }
})

test('the masked password of a URL is kept in an unchanged URL, and rejected in a changed one', async () => {
  const address = 'http://me:sesame@host:9200/?token=open'
  await rig.create('masked-url', source({ address }))
  const { body } = await rig.call('GET', '/connectors/masked-url/config')
  const shown = body as Record<string, string>
  expect(shown['address']).toBe('http://me:[hidden]@host:9200/?token=[hidden]')
  expect((await rig.call('PUT', '/connectors/masked-url/config', { ...shown, extra: '1' })).status).toBe(200)
  const moved = { ...shown, address: 'http://me:[hidden]@other:9200' }
  const refused = await rig.call('PUT', '/connectors/masked-url/config', moved)
  expect([refused.status, errorsOf(refused.body)]).toEqual([
    400,
    expect.stringContaining('The value of address contains [hidden]'),
  ])
  await rig.call('DELETE', '/connectors/masked-url')
})

test('references to config providers are shown unchanged, and resolved only for the plugin', async () => {
  const config = source({ secret: `\${file:${secrets}:pw}`, 'task.mode': `\${file:${secrets}:mode}` })
  await rig.create('provided', config)
  const status = await rig.states('provided', 'RUNNING', 'FAILED')
  expect(status.tasks[0]?.trace).toContain('this cannot work')
  expect((await rig.call('GET', '/connectors/provided/config')).body).toMatchObject(config)
  const tasks = (await rig.call('GET', '/connectors/provided/tasks')).body as { config: Record<string, string> }[]
  expect(tasks[0]?.config).toMatchObject(config)
  const absent = source({ secret: `\${file:/no/such/file:pw}` })
  const refused = await rig.call('POST', '/connectors', { name: 'unreadable', config: absent })
  expect(refused.status).toBe(400)
  expect(errorsOf(refused.body)).toMatch(/Could not read '\/no\/such\/file' for configuration secret/)
})

test('references are resolved for numbers, lists, enumerations and classes, including keys of the runtime', async () => {
  const values = join(rig.dir, 'values.properties')
  const output = join(rig.dir, 'provided.out')
  const policy = 'policy=none\nclass=TestSource\n'
  writeFileSync(values, `n=1\ntopics=provided-lines,others\nchain=tag, cut\nall=all\nis=false\n${policy}`)
  writeFileSync(join(rig.dir, 'provided.in'), '{"n":1}\nnot JSON\n{"n":2}\n')
  const of = (key: string) => `\${file:${values}:${key}}`
  await rig.create('provided-lines', {
    'connector.class': 'FileStreamSource',
    file: join(rig.dir, 'provided.in'),
    topic: 'provided-lines',
    'batch.size': of('n'),
    'tasks.max': of('n'),
    'value.converter': 'StringConverter',
    transforms: of('chain'),
    'transforms.tag.type': 'InsertHeader',
    'transforms.tag.header': 'h',
    'transforms.tag.value.literal': of('n'),
    'transforms.cut.type': 'DropHeaders',
    'transforms.cut.headers': of('topics'),
  })
  await rig.create('provided-sink', {
    'connector.class': 'FileStreamSink',
    file: output,
    topics: of('topics'),
    'value.converter': 'JsonConverter',
    'value.converter.schemas.enable': of('is'),
    'errors.tolerance': of('all'),
  })
  await eventually(() => existsSync(output) && readFileSync(output, 'utf8'), '{n=1}\n{n=2}\n')
  // The connector class and the restart policy can be references too.
  const failing = {
    'connector.class': of('class'),
    'task.mode': 'fails-retriably',
    'errors.restart.policy': of('policy'),
  }
  await rig.create('provided-policy', failing)
  const status = await rig.states('provided-policy', 'RUNNING', 'FAILED')
  expect(status.tasks[0]?.trace).not.toContain('restarts automatically')
  expect(status.connector).toMatchObject({ version: '1.0.0' })
  for (const name of ['lines', 'sink', 'policy']) await rig.call('DELETE', `/connectors/provided-${name}`)
})

test.each(['a/b %c', 'ünïcode 😀', 'dots..', '%2F', 'a?b#c', 'x'.repeat(200)])(
  'a connector named %j can be reached, changed and deleted',
  async name => {
    const created = await rig.call('POST', '/connectors', { name, config: source() })
    expect(created.status).toBe(201)
    const path = `/connectors/${encodeURIComponent(name)}`
    expect(created.headers.get('location')).toBe(rig.worker!.restUrl + path)
    await rig.states(name, 'RUNNING', 'RUNNING')
    expect((await rig.call('GET', path)).body).toMatchObject({ name, tasks: [{ connector: name, task: 0 }] })
    expect((await rig.call('PUT', `${path}/pause`)).status).toBe(202)
    await rig.states(name, 'PAUSED', 'PAUSED')
    expect((await rig.call('DELETE', path)).status).toBe(204)
    expect((await rig.call('GET', path)).status).toBe(404)
  },
)

test('numbers of any length and booleans become text, and no digit is lost', async () => {
  const body =
    '{"name":"numbers","config":{"connector.class":"TestSource","big":12345678901234567890,"f":1.50,"b":true}}'
  const { body: info } = await rig.call('POST', '/connectors', body)
  expect(info).toMatchObject({ config: { big: '12345678901234567890', b: 'true' } })
})

test.each([
  ['broken JSON', '{"name":', /not valid JSON/],
  ['a list', '[]', /must be a JSON object/],
  ['no body', undefined, /no body/],
  ['an unknown field', '{"nam":"x"}', /Unrecognized field "nam"/],
  ['no config', '{"name":"x"}', /"config" must be an object/],
  ['a wrong initial_state', '{"name":"x","initial_state":"UP","config":{}}', /RUNNING, PAUSED or STOPPED/],
  ['a nested value', '{"name":"x","config":{"a":{}}}', /value of "a" must be a string/],
])('a request with %s is answered with 400 and says what is wrong', async (_what, body, message) => {
  const answer = await rig.call('POST', '/connectors', body)
  expect(answer.status).toBe(400)
  expect(answer.body).toEqual({ error_code: 400, message: expect.stringMatching(message) })
})

test('a body that is too long is answered with 413, and an invalid percent-encoding with 400', async () => {
  for (const length of [3000, 100_000]) {
    const config = source({ x: 'y'.repeat(length) })
    expect((await rig.call('POST', '/connectors', { name: 'long', config })).status).toBe(413)
  }
  expect((await rig.call('GET', '/connectors/100%')).status).toBe(400)
})

test('the error for an unknown connector class lists the known classes', async () => {
  const { status, body } = await rig.call('POST', '/connectors', { name: 'x', config: { 'connector.class': 'Nope' } })
  expect(status).toBe(400)
  expect(errorsOf(body)).toMatch(
    /no connector is named Nope; available: .*org\.test\.TestSourceConnector 1\.0\.0.*MR_PLUGIN_UNKNOWN/,
  )
})

test.each([
  ['complains', /that topic is not nice/],
  ['throws', /validation itself is broken/],
  ['exits', /ended/],
  ['spins', /did not answer validate within 6000 ms/],
])(
  'the error of a plugin whose validation %s is reported, and other plugins can still be validated',
  async (mode, message) => {
    const { status, body } = await rig.call('POST', '/connectors', {
      name: 'odd',
      config: source({ 'validate.mode': mode }),
    })
    expect(status).toBe(400)
    expect(errorsOf(body)).toMatch(message)
    const fine = await rig.call('PUT', '/connector-plugins/TestSource/config/validate', source({ name: 'fine' }))
    expect(fine.body).toMatchObject({ error_count: 0 })
  },
)

test('a plugin that cannot be loaded gives an error that names it', async () => {
  const config = { 'connector.class': 'Unloadable' }
  const { status, body } = await rig.call('POST', '/connectors', { name: 'odd', config })
  expect(status).toBe(400)
  expect(errorsOf(body)).toContain('MR_PLUGIN_LOAD')
})

test('client settings that the policy forbids cause errors at their keys', async () => {
  const { body } = await rig.call('PUT', '/connector-plugins/TestSource/config/validate', {
    ...source({ name: 'o', 'producer.override.acks': '1', 'producer.override.sasl.jaas.config': 'secret' }),
  })
  const { configs } = body as {
    configs: { definition: { name: string; type: string }; value: { value: string; errors: string[] } }[]
  }
  const of = (name: string) => configs.find(c => c.definition.name === name)
  expect(of('producer.override.acks')?.value.errors).toEqual([
    "The 'Principal' policy does not allow 'acks' to be overridden in the connector configuration.",
  ])
  expect(of('producer.override.sasl.jaas.config')).toMatchObject({
    definition: { type: 'PASSWORD' },
    value: { value: '[hidden]', errors: [] },
  })
})

test('invalid topic.creation settings are rejected at validation, not when the connector runs', async () => {
  const { status, body } = await rig.call('POST', '/connectors', {
    name: 'tc',
    config: source({ 'topic.creation.groups': 'g', 'topic.creation.default.partitions': '0' }),
  })
  expect(status).toBe(400)
  expect(errorsOf(body)).toContain('contains the following 3 error(s)')
})

test('a predicate that does not exist causes an error at the transformation that refers to it', async () => {
  const { body } = await rig.call('PUT', '/connector-plugins/TestSource/config/validate', {
    ...source({ name: 'p', transforms: 'h', 'transforms.h.type': 'HoistField$Value', 'transforms.h.field': 'f' }),
    'transforms.h.predicate': 'nope',
  })
  expect(JSON.stringify(body)).toContain('Invalid value nope for configuration transforms.h.predicate')
  expect(body).toMatchObject({ error_count: 1 })
})

test('a PATCH that changes the name is rejected', async () => {
  await rig.create('named', source())
  expect((await rig.call('PATCH', '/connectors/named/config', { name: 'other' })).status).toBe(400)
})

test('every response has the configured headers, and cross-origin headers only for the allowed origin', async () => {
  const { headers } = await rig.call('GET', '/nope', undefined, { origin: 'http://ui.example' })
  expect(headers.get('x-frame-options')).toBe('DENY')
  expect(headers.get('cache-control')).toBe('no-cache, no-store')
  expect(headers.get('access-control-allow-origin')).toBe('http://ui.example')
  const other = await rig.call('GET', '/connectors', undefined, { origin: 'http://evil.example' })
  expect(other.headers.get('access-control-allow-origin')).toBe(null)
  const preflight = await rig.call('OPTIONS', '/connectors', undefined, {
    origin: 'http://ui.example',
    'access-control-request-method': 'PUT',
  })
  expect(preflight.headers.get('access-control-allow-methods')).toBe('GET,PUT')
})

test('topics are reset only if the worker allows it', async () => {
  const { status, body } = await rig.call('PUT', '/connectors/named/topics/reset')
  expect([status, errorsOf(body)]).toEqual([403, 'Topic tracking reset is disabled.'])
})

test('a log level set for the cluster reaches this worker through the config topic', async () => {
  expect((await rig.call('PUT', '/admin/loggers/millrace.x?scope=cluster', { level: 'debug' })).status).toBe(204)
  await eventually(async () => (await rig.call('GET', '/admin/loggers/millrace.x')).status, 200)
  expect((await rig.call('GET', '/admin/loggers/millrace.x')).body).toMatchObject({ level: 'DEBUG' })
  expect((await rig.call('GET', '/admin/loggers')).body).toHaveProperty('root')
})

test('the keys of a plugin are listed before those of the runtime, and secrets have no value', async () => {
  const { body } = await rig.call('GET', '/connector-plugins/TestSource/config')
  const names = (body as { name: string }[]).map(k => k.name)
  expect(names.indexOf('secret')).toBeLessThan(names.indexOf('name'))
  expect((body as { name: string }[]).find(k => k.name === 'secret')).toEqual({
    name: 'secret',
    type: 'PASSWORD',
    required: false,
    default_value: null,
    importance: 'LOW',
    documentation: 'Nobody may see it.',
    group: 'Secrets',
    order_in_group: 1,
    width: 'NONE',
    display_name: 'secret',
    dependents: [],
  })
  const converter = await rig.call('GET', '/connector-plugins/JsonConverter/config')
  expect((converter.body as { name: string }[]).map(k => k.name)).toContain('schemas.enable')
})

test('with connectorsOnly=false, transformations, converters and predicates are listed too', async () => {
  const { body } = await rig.call('GET', '/connector-plugins?connectorsOnly=false')
  const types = new Set((body as { type: string }[]).map(p => p.type))
  expect([...types].sort()).toEqual(['converter', 'header_converter', 'predicate', 'sink', 'source', 'transformation'])
})
