import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  findKafkaLibs,
  hasKcat,
  type KafkaTool,
  runKafkaTool,
  runProgram,
  skipWithout,
} from '../../test/peers/tools.ts'
import { startTestBroker, type TestBroker } from './test-support/test-broker.ts'

/** These tests run Apache Kafka's own tools and kcat (librdkafka) against our broker. */
const noTools = skipWithout("Apache Kafka's tools", findKafkaLibs() !== null)
const noKcat = skipWithout('kcat', hasKcat())

let b: TestBroker
beforeAll(async () => {
  b = await startTestBroker()
})
afterAll(() => b.close())

async function tool(name: KafkaTool, ...args: string[]): Promise<string> {
  return (await runKafkaTool(name, ['--bootstrap-server', b.bootstrap, ...args])).stdout
}

const lines = (text: string) => text.split('\n').filter(l => l !== '')

test.skipIf(noTools)('kafka-topics creates, lists, describes and deletes topics, and adds partitions', async () => {
  expect(
    await tool('topics', '--create', '--topic', 'tools', '--partitions', '2', '--config', 'retention.ms=1000000'),
  ).toMatch(/Created topic tools/)
  expect(lines(await tool('topics', '--list'))).toContain('tools')
  await tool('topics', '--alter', '--topic', 'tools', '--partitions', '3')
  const described = await tool('topics', '--describe', '--topic', 'tools')
  expect(described).toMatch(
    /PartitionCount: 3\s+ReplicationFactor: 1\s+Configs: min\.insync\.replicas=1,retention\.ms=1000000/,
  )
  expect(described).toMatch(/Partition: 2\s+Leader: 1\s+Replicas: 1\s+Isr: 1/)
  await tool('topics', '--delete', '--topic', 'tools')
  expect(lines(await tool('topics', '--list'))).not.toContain('tools')
})

test.skipIf(noTools)(
  'the console tools produce records with keys and consume them in a group, whose offsets kafka-consumer-groups shows',
  async () => {
    const input = Array.from({ length: 100 }, (_, i) => `k${i % 3}:line ${i}\n`).join('')
    const keyed = ['--reader-property', 'parse.key=true', '--reader-property', 'key.separator=:']
    await runKafkaTool('console-producer', ['--bootstrap-server', b.bootstrap, '--topic', 'console', ...keyed], {
      input,
    })
    const args = [
      '--topic',
      'console',
      '--from-beginning',
      '--max-messages',
      '100',
      '--timeout-ms',
      '30000',
      '--group',
      'g',
    ]
    const out = await tool('console-consumer', ...args, '--formatter-property', 'print.key=true')
    expect(lines(out).length).toBe(100)
    expect(lines(out)[99]).toBe('k0\tline 99')
    expect(await tool('get-offsets', '--topic', 'console')).toMatch(/^console:0:100$/m)
    const group = await tool('consumer-groups', '--describe', '--group', 'g')
    expect(group).toMatch(/g\s+console\s+0\s+100\s+100\s+0/)
    expect(lines(await tool('consumer-groups', '--list'))).toContain('g')
    await tool('consumer-groups', '--reset-offsets', '--group', 'g', '--topic', 'console', '--to-earliest', '--execute')
    expect(await tool('consumer-groups', '--describe', '--group', 'g')).toMatch(/g\s+console\s+0\s+0\s+100\s+100/)
    await tool('consumer-groups', '--delete', '--group', 'g')
    expect(lines(await tool('consumer-groups', '--list'))).not.toContain('g')
  },
)

test.skipIf(noTools)('kafka-configs sets, shows and removes configs of topics and of the broker', async () => {
  await tool('topics', '--create', '--topic', 'conf')
  const of = ['--entity-type', 'topics', '--entity-name', 'conf']
  await tool('configs', '--alter', ...of, '--add-config', 'retention.ms=12345,cleanup.policy=[compact,delete]')
  const shown = await tool('configs', '--describe', ...of)
  expect(shown).toMatch(
    /retention\.ms=12345 sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG:retention\.ms=12345, DEFAULT_CONFIG:log\.retention\.hours=168\}/,
  )
  expect(shown).toMatch(/cleanup\.policy=compact,delete/)
  await tool('configs', '--alter', ...of, '--delete-config', 'retention.ms')
  expect(await tool('configs', '--describe', ...of)).not.toMatch(/retention\.ms/)
  const broker = ['--entity-type', 'brokers', '--entity-default']
  await tool('configs', '--alter', ...broker, '--add-config', 'log.retention.ms=7000000')
  const all = await tool('configs', '--describe', ...of, '--all')
  expect(all).toMatch(
    / retention\.ms=7000000 sensitive=false synonyms=\{DYNAMIC_DEFAULT_BROKER_CONFIG:log\.retention\.ms=7000000/,
  )
  await tool('configs', '--alter', ...broker, '--delete-config', 'log.retention.ms')
  const refused = await runKafkaTool(
    'configs',
    ['--bootstrap-server', b.bootstrap, '--alter', ...of, '--add-config', 'retention.ms=soon'],
    { anyCode: true },
  )
  expect(refused.stdout + refused.stderr).toMatch(/Invalid value soon for configuration retention\.ms/)
})

test.skipIf(noTools)(
  'kafka-log-dirs, kafka-delete-records, kafka-cluster, kafka-leader-election and kafka-broker-api-versions work',
  async () => {
    const input = 'a\nb\nc\nd\n'
    await runKafkaTool('console-producer', ['--bootstrap-server', b.bootstrap, '--topic', 'misc'], { input })
    const dirs = JSON.parse(lines(await tool('log-dirs', '--describe', '--topic-list', 'misc')).at(-1)!)
    expect(dirs.brokers[0].logDirs[0]).toMatchObject({ error: null, logDir: b.dir })
    expect(dirs.brokers[0].logDirs[0].partitions[0].size).toBeGreaterThan(60)
    const json = JSON.stringify({ partitions: [{ topic: 'misc', partition: 0, offset: 3 }], version: 1 })
    const file = join(b.dir, 'offsets.json')
    await runProgram('sh', ['-c', `cat > ${file}`], { input: json })
    expect(await tool('delete-records', '--offset-json-file', file)).toMatch(/misc-0\s+low_watermark: 3/)
    expect(await tool('get-offsets', '--topic', 'misc', '--time', 'earliest')).toMatch(/misc:0:3/)
    const id = await runKafkaTool('cluster', ['cluster-id', '--bootstrap-server', b.bootstrap])
    expect(id.stdout).toMatch(b.broker.clusterId)
    expect(await tool('leader-election', '--election-type', 'preferred', '--all-topic-partitions')).not.toMatch(
      /error/i,
    )
    expect(await tool('broker-api-versions')).toMatch(/Produce\(0\): 0 to 13 \[usable: 13\]/)
  },
)

test.skipIf(noTools)(
  'the performance tools produce with every compression, idempotently, and consume the records',
  async () => {
    const props = (c: string) => [
      '--producer-props',
      `bootstrap.servers=${b.bootstrap}`,
      'acks=all',
      `compression.type=${c}`,
    ]
    for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      const args = ['--topic', 'perf', '--num-records', '5000', '--record-size', '200', '--throughput', '-1']
      const { stdout } = await runKafkaTool('producer-perf-test', [...args, ...props(compression)])
      expect(stdout).toMatch(/5000 records sent/)
    }
    const out = await tool('consumer-perf-test', '--topic', 'perf', '--messages', '25000', '--timeout', '30000')
    expect(out).toMatch(/, 25\d\d\d, /)
  },
)

test.skipIf(noTools)('kafka-dump-log reads the metadata log, even after restarts', async () => {
  const own = await startTestBroker()
  await runKafkaTool('topics', [
    '--bootstrap-server',
    own.bootstrap,
    '--create',
    '--topic',
    'seen',
    '--config',
    'retention.ms=5',
  ])
  await own.restart()
  await own.stop()
  const log = join(own.dir, '__cluster_metadata-0/00000000000000000000.log')
  const { stdout, stderr } = await runKafkaTool('dump-log', ['--cluster-metadata-decoder', '--files', log])
  for (const type of [
    'FEATURE_LEVEL_RECORD',
    'REGISTER_BROKER_RECORD',
    'TOPIC_RECORD',
    'PARTITION_RECORD',
    'CONFIG_RECORD',
  ])
    expect(stdout).toMatch(`"type":"${type}"`)
  expect(stdout.match(/LeaderChange/g)?.length).toBe(2)
  expect(stdout).not.toMatch(/isvalid: false/)
  expect(stderr).not.toMatch(/Exception|Error/)
  await own.close()
})

test.skipIf(noKcat)('kcat lists, produces and consumes with each compression, and consumes in a group', async () => {
  const kcat = (args: string[], input = '') =>
    runProgram('kcat', ['-b', b.bootstrap, ...args], { input, timeoutMs: 30_000 })
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    const input = Array.from({ length: 20 }, (_, i) => `${i}:${compression} ${i}\n`).join('')
    await kcat(['-P', '-t', 'kcat', '-K:', '-z', compression], input)
  }
  const { stdout } = await kcat(['-C', '-t', 'kcat', '-o', 'beginning', '-e', '-q', '-f', '%o %k %s\n'])
  expect(lines(stdout).length).toBe(100)
  expect(lines(stdout)[99]).toBe('99 19 zstd 19')
  expect((await kcat(['-L', '-t', 'kcat'])).stdout).toMatch(
    /topic "kcat" with 1 partitions:\n\s+partition 0, leader 1, replicas: 1, isrs: 1/,
  )
  const group = await kcat([
    '-G',
    'kcat-group',
    '-q',
    '-e',
    '-o',
    'beginning',
    '-X',
    'auto.offset.reset=earliest',
    'kcat',
  ])
  expect(lines(group.stdout).length).toBe(100)
  expect((await kcat(['-Q', '-t', 'kcat:0:-1'])).stdout).toMatch(/kcat \[0\] offset 100/)
})
