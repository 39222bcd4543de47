import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { FileStreamSinkConnector } from '../../connectors/file/sink-connector.ts'
import { FileStreamSourceConnector } from '../../connectors/file/source-connector.ts'
import {
  defineConfig,
  key,
  SourceConnector,
  type SourceLag,
  SourceTask,
  sleepOrAbort,
  type ValidateContext,
} from '../connect/index.ts'
import { OffsetStorage } from './offset-storage.ts'
import { SinkHarness } from './sink-harness.ts'
import { SourceHarness } from './source-harness.ts'

class MeasuredTask extends SourceTask {
  override async start(): Promise<void> {
    const metrics = this.context.pluginMetrics!()
    metrics.addMetric({ name: 'rows', description: 'Rows.', tags: { table: 'a' } }, () => 1)
    metrics.addMetric({ name: 'rows', description: 'Rows.', tags: { table: 'b' } }, () => 2)
  }

  override lag(): SourceLag {
    return { bytes: 7, since: 5 }
  }

  override async poll(): Promise<null> {
    setImmediate(() => this.context.logger.info('polled'))
    await sleepOrAbort(60_000, this.context.signal)
    return null
  }
}

const MEASURED_CONFIG = defineConfig({ system: key.string({ default: 'x', importance: 'LOW', documentation: 'Any.' }) })

class MeasuredSource extends SourceConnector<typeof MEASURED_CONFIG> {
  readonly config = MEASURED_CONFIG
  readonly taskClass = MeasuredTask

  override async validate(_settings: unknown, { addError }: ValidateContext): Promise<void> {
    addError('system', 'the system is unavailable')
  }
}

const dirs: string[] = []
function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-testing-'))
  dirs.push(dir)
  return dir
}
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})

test('a source resumes after its committed offset when it is restarted, and when it is killed and started again', async () => {
  const file = join(folder(), 'a.txt')
  appendFileSync(file, 'one\ntwo\n')
  await using source = new SourceHarness(FileStreamSourceConnector, { config: { file, topic: 't' } })
  await source.start()
  expect(source.state).toBe('RUNNING')
  expect((await source.take(2)).map(r => r.value)).toEqual(['one', 'two'])
  await source.committed()
  expect(source.offset({ filename: file })).toEqual({ position: 8 })
  await source.restart()
  appendFileSync(file, 'three\n')
  expect((await source.take(3)).map(r => r.value)).toEqual(['one', 'two', 'three'])
  await source.committed()
  source.holdAcks()
  appendFileSync(file, 'four\n')
  await source.kill()
  expect(source.offset({ filename: file })).toEqual({ position: 14 })
  await source.start()
  expect((await source.take(4)).at(-1)?.value).toBe('four')
})

test('poll is not called while the broker does not acknowledge records', async () => {
  const file = join(folder(), 'a.txt')
  appendFileSync(file, 'x\n'.repeat(50))
  await using source = new SourceHarness(FileStreamSourceConnector, { config: { file, topic: 't', 'batch.size': '5' } })
  source.holdAcks(7)
  await source.start()
  await source.until(() => source.calls.filter(c => c.method === 'poll').length === 2)
  expect(source.records).toHaveLength(0)
  source.releaseAcks()
  await source.take(50)
})

test('a sink commits the records that it has written, and resumes after them when it is killed and started again', async () => {
  const file = join(folder(), 'out.txt')
  await using sink = new SinkHarness(FileStreamSinkConnector, { config: { file } })
  await sink.start()
  sink.send({ value: 'one' }, { value: 'two' })
  await sink.committed()
  expect(sink.offset()).toBe(2)
  expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n')
  await sink.kill()
  sink.send({ value: 'three' })
  await sink.start()
  await sink.committed()
  expect(readFileSync(file, 'utf8')).toBe('one\ntwo\nthree\n')
})

test('no method of a sink is called after its stop, although its consumer then revokes the partitions', async () => {
  await using sink = new SinkHarness(FileStreamSinkConnector, { config: { file: join(folder(), 'out.txt') } })
  await sink.start()
  sink.send({ value: 'one' })
  await sink.committed()
  await sink.stop()
  const methods = sink.calls.map(call => call.method)
  expect(methods.at(-1)).toBe('stop')
  expect(methods.filter(method => method === 'stop')).toHaveLength(1)
})

test('received contains records that the broker has not acknowledged', async () => {
  const file = join(folder(), 'a.txt')
  appendFileSync(file, 'one\ntwo\nthree\n')
  await using source = new SourceHarness(FileStreamSourceConnector, { config: { file, topic: 't' } })
  source.holdAcks()
  await source.start()
  await source.until(() => source.received.length === 3)
  expect(source.records).toEqual([])
  source.limitAcks(2)
  await source.take(2)
  await source.committed()
  expect(source.offset({ filename: file })).toEqual({ position: 8 })
  await source.kill()
  expect(source.offset({ filename: file })).toEqual({ position: 8 })
  expect(source.received.map(r => r.value)).toEqual(['one', 'two', 'three'])
})

test('a source resumes from an offset that the test has set', async () => {
  const file = join(folder(), 'a.txt')
  appendFileSync(file, 'one\ntwo\n')
  const offsets = new OffsetStorage()
  offsets.set({ filename: file }, { position: 4 })
  await using source = new SourceHarness(FileStreamSourceConnector, { config: { file, topic: 't' }, offsets })
  await source.start()
  expect((await source.take(1)).map(r => r.value)).toEqual(['two'])
})

test('the harness returns the metrics and the lag of a task, and checks a condition after each log line', async () => {
  await using source = new SourceHarness(MeasuredSource, { config: {}, validate: false })
  await source.start()
  await source.until(() => source.logger.text().includes('polled'))
  await source.until(() => source.metric('kafka_connect_plugins_rows', { table: 'b' }) === 2)
  expect(source.metric('kafka_connect_plugins_rows', { table: 'a' })).toBe(1)
  expect(source.metric('kafka_connect_plugins_rows', { table: 'c' })).toBeNull()
  expect(source.lag()).toMatchObject({ bytes: 7, since: 5 })
})

test('with validate: false, a connector starts although its validation fails', async () => {
  const validating = new SourceHarness(MeasuredSource, { config: {} })
  await expect(validating.start()).rejects.toThrow('the system is unavailable')
  await using source = new SourceHarness(MeasuredSource, { config: {}, validate: false })
  await source.start()
  expect(source.state).toBe('RUNNING')
})

test('start rejects an invalid configuration with an error that names the key', async () => {
  const source = new SourceHarness(FileStreamSourceConnector, { config: { topic: 't', 'batch.size': '0' } })
  await expect(source.start()).rejects.toThrow('Invalid value 0 for configuration batch.size')
})
