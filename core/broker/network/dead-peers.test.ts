import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
import { Connection } from '../../client/net/connection.ts'
import { Traffic } from '../../client/net/traffic.ts'
import { sleep } from '../../common/async/sleep.ts'
import { FetchRequest } from '../../protocol/messages/01-fetch.ts'
import { RawClient } from '../test-support/raw-client.ts'
import { startTestBroker, type TestBroker } from '../test-support/test-broker.ts'

/** These tests are about clients that disconnect or stop responding during a long poll. */
let b: TestBroker
afterEach(() => b.close())

async function started(settings: Record<string, string> = {}): Promise<void> {
  b = await startTestBroker(settings)
  const c = await RawClient.connect(b.port)
  await c.call('CreateTopics', { topics: [{ name: 't', numPartitions: 1, replicationFactor: 1 }], timeoutMs: 5000 })
  c.close()
  await connections(0)
}

const connections = (n: number) => vi.waitFor(() => expect(b.broker.connections).toBe(n), { timeout: 15_000 })

/** Starts a fetch that waits for up to ten minutes. Returns when the broker is waiting. */
async function startLongPoll(port = b.port): Promise<RawClient> {
  const c = await RawClient.connect(port)
  await c.call('Metadata', { topics: [{ name: 't' }] })
  c.send(FetchRequest, 12, {
    maxWaitMs: 600_000,
    minBytes: 1,
    topics: [{ topic: 't', partitions: [{ partition: 0, partitionMaxBytes: 1000 }] }],
  })
  // Nothing shows that the broker has received the fetch. The response to another request would not
  // show this, because responses are sent in order.
  await sleep(100)
  return c
}

test('the broker detects during a long poll that a client has reset or closed its connection', async () => {
  await started()
  const reset = await startLongPoll()
  const closed = await startLongPoll()
  await connections(2)
  reset.socket.resetAndDestroy()
  await connections(1)
  closed.close()
  await connections(0)
})

test('a client that half-closes its connection during a long poll still gets the response', async () => {
  await started()
  const c = await startLongPoll()
  const answer = c.nextFrame()
  c.socket.end()
  expect((await answer).length).toBeGreaterThan(10)
  await c.closed
  await connections(0)
})

/**
 * The source code of a proxy. The test stops the proxy's process with SIGSTOP. The kernel then
 * still accepts bytes, but the process does not read them.
 */
const PROXY = `
  import { connect, createServer } from 'node:net'
  const server = createServer(from => {
    const to = connect(Number(process.argv[1]), '127.0.0.1')
    from.pipe(to).pipe(from)
  }).listen(0, '127.0.0.1', () => process.stdout.write(String(server.address().port)))`

test('connections.max.idle.ms also closes a connection during a long poll', async () => {
  await started({ 'connections.max.idle.ms': '1500' })
  const proxy = spawn(process.execPath, ['--input-type=module', '-e', PROXY, String(b.port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const port = Number(String((await once(proxy.stdout, 'data'))[0]))
  const c = await startLongPoll(port)
  await connections(1)
  proxy.kill('SIGSTOP')
  await connections(0)
  proxy.kill('SIGKILL')
  await c.closed
})

/**
 * Returns the kernel's timers of the established connections from a port: the kind of timer (2 is
 * keep-alive), and the time until it expires, in hundredths of a second.
 */
function timersOf(localPort: number): { timer: number; when: number }[] {
  const port = localPort.toString(16).toUpperCase().padStart(4, '0')
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(f => f[1]?.endsWith(`:${port}`) && f[3] === '01')
    .map(f => {
      const [timer, when] = f[5]!.split(':')
      return { timer: Number(timer), when: Number.parseInt(when!, 16) }
    })
}

test.skipIf(!existsSync('/proc/net/tcp'))('broker and client use TCP keep-alive after one minute', async () => {
  await started()
  const options = { clientId: 'c', setupTimeoutMs: 5000, maxIdleMs: 0, requestTimeoutMs: 5000, traffic: new Traffic() }
  const never = new AbortController().signal
  const c = await Connection.open({ host: '127.0.0.1', port: b.port }, options, never)
  await connections(1)
  const theirs = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .find(f => f[2]?.endsWith(`:${b.port.toString(16).toUpperCase().padStart(4, '0')}`) && f[3] === '01')!
  const clientPort = Number.parseInt(theirs[1]!.split(':')[1]!, 16)
  for (const port of [b.port, clientPort]) {
    // While bytes are in flight, another timer is active.
    await vi.waitFor(() => expect(timersOf(port)).toEqual([{ timer: 2, when: expect.any(Number) }]))
    expect(timersOf(port)[0]!.when).toBeLessThanOrEqual(6000)
  }
  c.close()
})
