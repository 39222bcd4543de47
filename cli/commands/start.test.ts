import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { scrape } from '../../core/common/metrics/test-support/parse-metrics.ts'
import { Platform } from '../../test/platform.ts'

test('millrace start prints the address of its metrics, even if port 9404 is in use', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-start-'))
  // If `listen` fails, another process already uses the port, which is sufficient for this test.
  const taken = createServer().listen(9404, '127.0.0.1')
  await new Promise<void>(resolve => {
    taken.once('listening', () => resolve())
    taken.once('error', () => resolve())
  })
  const platform = await Platform.create(dir)
  try {
    await platform.start()
    const urls = /metrics (http:\S+) (http:\S+\/metrics),/.exec(platform.output)
    expect(urls, platform.output).not.toBeNull()
    const [, broker, worker] = urls!
    expect(new URL(broker!).port).not.toBe('9404')
    expect((await scrape(broker!)).value('kafka_controller_kafkacontroller_activecontrollercount')).toBe(1)
    expect((await scrape(worker!)).value('kafka_connect_worker_connector_count')).toBe(0)
  } finally {
    await platform.stop()
    taken.close()
    rmSync(dir, { recursive: true, force: true })
  }
})
