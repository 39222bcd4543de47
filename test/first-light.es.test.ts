/**
 * Tests the first minutes of a new user: the demo, a row changed by hand, Ctrl-C, and a second
 * start.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, expect, inject, test } from 'vitest'
import { createAdmin } from '../core/client/index.ts'
import { eventually, Platform } from './platform.ts'

const elasticsearch = inject('elasticsearchUrl')
const dir = mkdtempSync(join(tmpdir(), 'millrace-demo-'))
const output = join(dir, 'demo/orders.jsonl')
let platform: Platform | null = null

afterAll(async () => {
  await platform?.stop()
  rmSync(dir, { recursive: true, force: true })
}, 60_000)

function postgresInfo(): { url: string; pid: number } {
  return JSON.parse(readFileSync(join(dir, 'demo/postgres/postgres.json'), 'utf8'))
}

async function change(id: number, note: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgresInfo().url })
  await client.connect()
  try {
    const { rowCount } = await client.query('update orders set note = $2 where id = $1', [id, note])
    expect(rowCount).toBe(1)
  } finally {
    await client.end()
  }
}

const inFile = (note: string) => existsSync(output) && readFileSync(output, 'utf8').includes(`"note":"${note}"`)

async function inIndex(id: number, note: string): Promise<boolean> {
  const answer = await fetch(`${elasticsearch}/shop.public.orders/_doc/${id}`)
  const { _source: source } = (await answer.json()) as { _source?: { note: string } }
  return source?.note === note
}

/** Changes a row and waits until the change is in the file and in Elasticsearch. */
async function follow(id: number, note: string): Promise<void> {
  await change(id, note)
  const began = performance.now()
  await eventually(
    () => inFile(note),
    () => `no line with ${note}: ${platform?.output.slice(-2000)}`,
  )
  const file = performance.now() - began
  if (elasticsearch)
    await eventually(
      () => inIndex(id, note),
      () => `no document with ${note}`,
    )
  console.log(
    `${note}: in the file after ${file.toFixed(0)} ms, in both after ${(performance.now() - began).toFixed(0)} ms`,
  )
}

async function customers(bootstrap: string): Promise<number> {
  const admin = createAdmin({ bootstrapServers: [bootstrap] })
  try {
    const [end] = await admin.listOffsets([{ topic: 'shop.public.customers', partition: 0, timestamp: -1 }])
    return end!.offset
  } finally {
    await admin.close()
  }
}

async function startDemo(): Promise<Platform> {
  platform ??= await Platform.create(dir)
  const before = platform.output.length
  await platform.start(['--demo'], elasticsearch ? { ELASTICSEARCH_URL: elasticsearch } : { ELASTICSEARCH_URL: '' })
  await eventually(
    () => platform!.output.slice(before).includes('Ctrl-C stops everything'),
    () => platform!.output.slice(-3000),
  )
  return platform
}

test('the demo prints its screen, captures a changed row, stops on Ctrl-C, and resumes without a second snapshot', async () => {
  const running = await startDemo()
  for (const word of [
    running.bootstrap,
    `http://127.0.0.1:${running.restPort}`,
    'shop-source',
    'RUNNING',
    'orders.jsonl',
    'demo sql',
    'curl',
  ]) {
    expect(running.output).toContain(word)
  }
  expect(running.output).not.toContain('FAILED')
  await follow(1, 'by-hand-1')
  await eventually(
    async () => (await customers(running.bootstrap)) === 200,
    () => 'the snapshot of the customers is not whole',
  )
  const { pid } = postgresInfo()
  expect(await running.stop()).toBe(0)
  expect(() => process.kill(pid, 0)).toThrow('ESRCH')

  await startDemo()
  await follow(2, 'by-hand-2')
  // Customers never change, so a second snapshot would have doubled their events.
  expect(await customers(running.bootstrap)).toBe(200)
  const lines = readFileSync(output, 'utf8')
    .split('\n')
    .filter(line => line.includes('"note":"by-hand-1"'))
  expect(lines.length).toBeGreaterThanOrEqual(1)
  expect(await running.stop()).toBe(0)
}, 180_000)
