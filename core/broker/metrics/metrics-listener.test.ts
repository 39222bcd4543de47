import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { createAdmin, createConsumer, createProducer } from '../../client/index.ts'
import { parseMetrics, scrape } from '../../common/metrics/test-support/parse-metrics.ts'
import { parseBrokerConfig } from '../config/broker-config.ts'
import { startTestBroker } from '../test-support/test-broker.ts'

test('the metrics of a broker contain produced and fetched records and bytes, in total and per topic', async () => {
  await using broker = await startTestBroker({ 'metrics.listeners': 'http://127.0.0.1:0' })
  const [url] = broker.broker.metricsUrls
  const options = { bootstrapServers: [broker.bootstrap] }
  const admin = createAdmin(options)
  await admin.createTopics([
    { name: 'orders', partitions: 3 },
    { name: 'other', partitions: 1 },
  ])
  const producer = createProducer(options)
  const value = Buffer.alloc(100)
  await producer.send(Array.from({ length: 250 }, (_, i) => ({ topic: 'orders', partition: i % 3, key: null, value })))
  await producer.send([{ topic: 'other', key: null, value }])
  const tooLarge = producer.send([{ topic: 'other', key: null, value: Buffer.alloc(2_000_000) }])
  await expect(tooLarge).rejects.toThrow()
  const consumer = createConsumer({ ...options, groupId: 'g', autoOffsetReset: 'earliest' })
  consumer.subscribe(['orders'])
  let consumed = 0
  while (consumed < 250) for (const batch of await consumer.poll(1000)) consumed += batch.records.length
  await consumer.commit()

  const now = await scrape(url!)
  const topic = (name: string, label: string) => now.value(`kafka_server_brokertopicmetrics_${name}`, { topic: label })
  expect(topic('messagesin_total', 'orders')).toBe(250)
  expect(topic('messagesin_total', 'other')).toBe(1)
  // The total does not include __consumer_offsets, because the group coordinator writes to it
  // without Produce requests.
  expect(topic('messagesin_total', '')).toBe(251)
  expect(topic('bytesin_total', 'orders')).toBeGreaterThan(250 * 100)
  expect(topic('bytesin_total', '')).toBe(topic('bytesin_total', 'orders')! + topic('bytesin_total', 'other')!)
  expect(topic('bytesout_total', 'orders')).toBe(topic('bytesin_total', 'orders'))
  expect(topic('totalproducerequests_total', 'orders')).toBeGreaterThanOrEqual(3)
  expect(topic('failedproducerequests_total', '')).toBe(0)
  expect(topic('failedproducerequests_total', 'orders')).toBeUndefined()

  expect(now.series('kafka_network_requestmetrics_requests_total', { request: 'Produce' })).toHaveLength(1)
  const times = now.series('kafka_network_requestmetrics_totaltimems', { request: 'Produce' })
  expect(times.map(s => s.labels['quantile'])).toEqual(['0.50', '0.75', '0.95', '0.98', '0.99', '0.999'])
  expect(now.value('kafka_network_requestmetrics_errors_total', { request: 'CreateTopics', error: 'NONE' })).toBe(1)
  expect(
    now.value('kafka_network_requestmetrics_errors_total', { request: 'JoinGroup', error: 'MEMBER_ID_REQUIRED' }),
  ).toBe(1)

  expect(now.series('kafka_log_log_logendoffset', { topic: 'orders' }).reduce((n, s) => n + s.value, 0)).toBe(250)
  expect(now.value('kafka_log_log_size', { topic: 'other', partition: '0' })).toBe(topic('bytesin_total', 'other'))
  expect(now.value('kafka_server_replicamanager_partitioncount')).toBe(3 + 1 + 2)
  expect(now.value('kafka_server_replicamanager_leadercount')).toBe(6)
  expect(now.value('kafka_server_replicamanager_underreplicatedpartitions')).toBe(0)
  expect(now.value('kafka_controller_kafkacontroller_globaltopiccount')).toBe(3)
  expect(now.value('kafka_controller_kafkacontroller_activecontrollercount')).toBe(1)
  expect(now.value('kafka_coordinator_group_groupmetadatamanager_numgroupsstable')).toBe(1)
  expect(now.value('kafka_coordinator_group_groupmetadatamanager_numoffsets')).toBe(3)
  const listener = { listener: 'PLAINTEXT', networkProcessor: '0' }
  expect(now.value('kafka_server_socket_server_metrics_connection_count', listener)).toBe(broker.broker.connections)
  expect(now.value('kafka_server_socket_server_metrics_incoming_byte_total', listener)).toBeGreaterThan(25_000)
  expect(now.value('kafka_server_socket_server_metrics_outgoing_byte_total', listener)).toBeGreaterThan(25_000)
  expect(now.series('nodejs_eventloop_lag_seconds')).toHaveLength(1)
  expect(now.series('process_cpu_seconds_total')).toHaveLength(1)

  // After a topic is deleted, its series disappear, and the totals do not decrease.
  await consumer.close()
  await admin.deleteTopics(['orders'])
  const later = await scrape(url!)
  for (const family of later.families.values()) {
    expect(family.series.filter(s => s.labels['topic'] === 'orders')).toEqual([])
  }
  expect(later.value('kafka_server_brokertopicmetrics_messagesin_total', { topic: '' })).toBe(251)
  await Promise.all([producer.close(), admin.close()])
})

test('the metrics listener answers only GET and HEAD of /metrics, as Prometheus text or OpenMetrics', async () => {
  await using broker = await startTestBroker({ 'metrics.listeners': 'http://127.0.0.1:0' })
  const [url] = broker.broker.metricsUrls
  const head = await fetch(url!, { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
  expect((await fetch(url!, { method: 'POST' })).status).toBe(405)
  expect((await fetch(url!.replace('metrics', 'other'))).status).toBe(404)
  const open = await fetch(url!, { headers: { accept: 'application/openmetrics-text; version=1.0.0' } })
  expect(open.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
  expect((await open.text()).endsWith('\n# EOF\n')).toBe(true)
  expect(parseMetrics(await (await fetch(`${url}?x=1`)).text()).families.size).toBeGreaterThan(50)
})

test.each([
  ['127.0.0.1:9404', 'is not of the form http://host:port'],
  ['https://127.0.0.1:9404', 'is not of the form http://host:port'],
  ['http://127.0.0.1:70000', 'is not of the form http://host:port'],
  ['http://127.0.0.1:9404/x', 'is not of the form http://host:port'],
  ['http://127.0.0.1:9404,http://127.0.0.1:9404', 'is listed twice'],
])('metrics.listeners=%s is rejected', (value, what) => {
  expect(() => parseBrokerConfig({ 'metrics.listeners': value })).toThrow(
    expect.objectContaining({ code: 'MR_BROKER_CONFIG', message: expect.stringMatching(`metrics.listeners.*${what}`) }),
  )
})

test('a broker whose metrics port is in use fails to start with an error that names the address', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => taken.once('listening', resolve))
  const { port } = taken.address() as { port: number }
  const start = startTestBroker({ 'metrics.listeners': `http://127.0.0.1:${port}` })
  await expect(start).rejects.toMatchObject({
    code: 'MR_BROKER_METRICS_LISTEN',
    message: expect.stringContaining(`http://127.0.0.1:${port}`),
  })
  taken.close()
})
