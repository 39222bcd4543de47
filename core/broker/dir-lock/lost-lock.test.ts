import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { RawClient } from '../test-support/raw-client.ts'
import { startTestBroker } from '../test-support/test-broker.ts'

test('a broker stops without changing its directory when another broker has taken its lock', async () => {
  const b = await startTestBroker()
  const c = await RawClient.connect(b.port)
  await c.call('Metadata', { topics: [{ name: 't' }] })
  const theirs = '7 1\nhost other\nboot 1-2\nnamespace x\n'
  writeFileSync(join(b.dir, '.lock'), theirs)
  await c.closed
  await vi.waitFor(() => expect(RawClient.connect(b.port)).rejects.toThrow('ECONNREFUSED'), { timeout: 10_000 })
  expect(readFileSync(join(b.dir, '.lock'), 'utf8')).toBe(theirs)
  expect(existsSync(join(b.dir, '.kafka_cleanshutdown'))).toBe(false)
  await b.close()
})
