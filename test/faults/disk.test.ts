/**
 * Tests a full disk: producers get an error, the process keeps running and resumes when there is
 * space, and no acknowledged record is lost.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createConsumer, createProducer } from '../../core/client/index.ts'
import { Platform } from '../platform.ts'
import { OtherPipeline } from './harness.ts'

const MB = 1 << 20
const dir = mkdtempSync(join(tmpdir(), 'millrace-disk-'))
const disk = join(dir, 'disk')
const cleanup: (() => Promise<unknown> | unknown)[] = [() => rmSync(dir, { recursive: true, force: true })]
afterAll(async () => {
  for (const step of cleanup.reverse()) await step()
})

/** Mounts a small file system. Returns the reason if this fails, or else null. */
function mount(size: string): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can mount a tmpfs'
  mkdirSync(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk], { stdio: 'pipe' })
  } catch (error) {
    return `no tmpfs: ${(error as Error).message}`
  }
  cleanup.push(() => execFileSync('umount', ['-l', disk]))
  return null
}

/** Fills a file system. Other programs write to it too, so the free space may shrink meanwhile. */
function fillUp(file: string, bytes: number): void {
  try {
    writeFileSync(file, Buffer.alloc(bytes, 1))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}

/** Returns all values in a topic. */
async function values(bootstrap: string, topic: string): Promise<string[]> {
  const consumer = createConsumer({ bootstrapServers: [bootstrap] })
  const at = { topic, partition: 0 }
  const found: string[] = []
  try {
    consumer.assign([at])
    const [end = 0] = await consumer.endOffsets([at])
    consumer.seekToBeginning([at])
    while ((consumer.position(at) ?? 0) < end)
      for (const batch of await consumer.poll(2000))
        for (const record of batch.records) found.push(record.value!.subarray(0, 20).toString().trim())
    return found
  } finally {
    await consumer.close()
  }
}

test('producers get an error while the disk is full, and no acknowledged record is lost', async ({ skip }) => {
  const why = mount('64m')
  if (why) {
    process.stderr.write(`\n!!! The test of a full disk is SKIPPED: ${why}\n\n`)
    return skip(why)
  }
  const platform = await Platform.create(join(disk, 'data'))
  cleanup.push(() => platform.kill())
  await platform.start()
  const otherPipeline = await new OtherPipeline(dir, platform).start()
  const producer = createProducer({
    bootstrapServers: [platform.bootstrap],
    deliveryTimeoutMs: 6000,
    requestTimeoutMs: 2000,
    lingerMs: 0,
  })
  cleanup.push(() => producer.close().catch(() => undefined))
  const acked: string[] = []
  const refusals = new Set<string>()
  let sent = 0
  const produce = async (n: number) => {
    const all = Array.from({ length: n }, () => {
      const name = `record ${sent++}`
      const value = Buffer.alloc(MB / 4, ' ')
      value.write(name)
      return producer.send([{ topic: 'big', partition: 0, key: null, value, timestamp: null, headers: [] }]).then(
        () => acked.push(name),
        error => refusals.add(String(error)),
      )
    })
    await Promise.all(all)
  }
  await produce(20)
  expect([...refusals]).toEqual([])
  // Another program fills the disk.
  const ballast = join(disk, 'ballast')
  const room = () => Number(execFileSync('df', ['--output=avail', '-B1', disk]).toString().split('\n')[1])
  writeFileSync(ballast, Buffer.alloc(room() - 3 * MB, 1))
  await produce(40)
  expect([...refusals].join()).toMatch(/ENOSPC/)
  const before = acked.length
  writeFileSync(ballast, Buffer.alloc(1))
  await produce(20)
  expect(acked.length).toBe(before + 20)
  await otherPipeline.moves()
  const found = new Set(await values(platform.bootstrap, 'big'))
  expect(acked.filter(name => !found.has(name))).toEqual([])
  // Now the disk has no free byte, and the process is killed.
  fillUp(ballast, room())
  await produce(5)
  expect((await platform.rest('GET', '/health')).status).toBe(200)
  await platform.kill()
  // The process may refuse to start, with this error.
  await platform.start().catch(error => expect(String(error)).toMatch(/the disk is full.*MR_CLI_DISK_FULL/))
  await platform.kill()
  writeFileSync(ballast, '')
  await platform.start()
  await otherPipeline.moves()
  const after = new Set(await values(platform.bootstrap, 'big'))
  expect(acked.filter(name => !after.has(name))).toEqual([])
})
