import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import {
  defineConfig,
  key,
  SinkConnector,
  type SinkRecord,
  SinkTask,
  SourceConnector,
  type SourceRecord,
  SourceTask,
  sleepOrAbort,
} from '../connect/index.ts'
import { SinkHarness } from './sink-harness.ts'
import { SourceHarness } from './source-harness.ts'

const CONFIG = defineConfig({ port: key.int({ default: 0, importance: 'LOW', documentation: 'The port.' }) })

/** The calls of tasks and connectors, in order. */
let events: string[] = []

class PortTask extends SourceTask<typeof CONFIG> {
  #socket: Socket | null = null
  override async start({ port }: { port: number }): Promise<void> {
    events.push('start')
    this.context.signal.addEventListener('abort', () => events.push('abort'))
    this.#socket = connect(port, '127.0.0.1').on('error', () => undefined)
    await once(this.#socket, 'connect')
  }

  override async poll(): Promise<readonly SourceRecord[] | null> {
    await sleepOrAbort(60_000, this.context.signal)
    return null
  }

  override stop(): void {
    events.push('stop')
    this.#socket?.destroy()
  }
}

class PortSource extends SourceConnector<typeof CONFIG> {
  readonly config = CONFIG
  readonly taskClass = PortTask
  override stop(): void {
    events.push('stop of the connector')
  }
}

/** The task of a source that listens on a port, for example for webhooks. */
class ListeningTask extends SourceTask<typeof CONFIG> {
  readonly #server = createServer()
  override async start({ port }: { port: number }): Promise<void> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  override async poll(): Promise<readonly SourceRecord[] | null> {
    await sleepOrAbort(60_000, this.context.signal)
    return null
  }

  override stop(): void {
    this.#server.close()
  }
}

class ListeningSource extends SourceConnector<typeof CONFIG> {
  readonly config = CONFIG
  readonly taskClass = ListeningTask
}

class RecordingTask extends SinkTask {
  override start(): void {}
  override async put(records: SinkRecord[]): Promise<void> {
    if (records.length > 0) events.push(`put ${records.map(r => r.value)}`)
  }
  override async preCommit(): Promise<readonly []> {
    return []
  }
  override close(): void {
    events.push('close')
  }
  override stop(): void {
    events.push('stop')
  }
}

class RecordingSink extends SinkConnector {
  readonly config = {}
  readonly taskClass = RecordingTask
}

test('kill closes the connections of a task, and the task is stopped when the harness is disposed of', async () => {
  events = []
  const connections: Socket[] = []
  const server = createServer(socket => connections.push(socket.resume().on('error', () => undefined)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as { port: number }
  {
    await using source = new SourceHarness(PortSource, { config: { port: String(port) }, validate: false })
    await source.start()
    await source.polling()
    const closed = once(connections[0]!, 'close')
    await source.kill()
    await closed
    expect(source.state).toBe('STOPPED')
    await source.start()
    await source.polling()
    expect(events).toEqual(['start', 'start'])
    expect(source.calls.filter(c => c.method === 'stop')).toEqual([])
  }
  expect(events.filter(event => event === 'abort')).toHaveLength(2)
  expect(events.filter(event => event === 'stop')).toHaveLength(2)
  expect(events.filter(event => event === 'stop of the connector')).toHaveLength(2)
  server.close()
})

test('kill releases the port on which a source listens', async () => {
  const probe = createServer()
  await once(probe.listen(0, '127.0.0.1'), 'listening')
  const { port } = probe.address() as { port: number }
  await new Promise(resolve => probe.close(resolve))
  await using source = new SourceHarness(ListeningSource, { config: { port: String(port) }, validate: false })
  await source.start()
  await source.kill()
  await source.start()
  expect(source.state).toBe('RUNNING')
})

test('no method of a killed sink is called, and after a start it receives all uncommitted records', async () => {
  events = []
  {
    await using sink = new SinkHarness(RecordingSink, { config: {} })
    await sink.start()
    sink.send({ value: 'a' })
    await sink.delivered()
    await sink.kill()
    sink.send({ value: 'b' })
    await sink.start()
    await sink.delivered(3)
    expect(events).toEqual(['put a', 'put a,b'])
  }
  expect(events.slice(2).sort()).toEqual(['close', 'stop', 'stop'])
})
