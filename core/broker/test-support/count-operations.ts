/**
 * Run as a program: counts what a broker with argv[2] partitions does on disk, and how many entries of its metadata it
 * visits, for a few changes. Prints the counts as JSON. Loaded with `--import ./kill-at-operation.ts`, which counts.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { startBroker } from '../broker.ts'
import { PersistentMap } from '../quorum/persistent-map.ts'
import { fileOperations } from './kill-at-operation.ts'
import { RawClient } from './raw-client.ts'

const partitions = Number(process.argv[2])
const dir = mkdtempSync(join(tmpdir(), 'count-'))

let visited = 0
const { entries } = PersistentMap.prototype
PersistentMap.prototype.entries = function* (this: PersistentMap<unknown>): MapIterator<[string, never]> {
  for (const [key, value] of entries.call(this)) {
    visited++
    yield [key, value as never]
  }
  return undefined
}

const broker = await startBroker({ 'log.dirs': dir, listeners: 'PLAINTEXT://127.0.0.1:0' })
const client = await RawClient.connect(broker.port)
const topic = (name: string, numPartitions: number) => ({ name, numPartitions, replicationFactor: 1 })
const counts: Record<string, { files: number; entries: number }> = {}

async function count(what: string, change: () => Promise<unknown>): Promise<void> {
  const before = { files: fileOperations(), visited }
  const answer = JSON.stringify(await change())
  if (/"errorCode":[^0]/.test(answer)) throw new Error(answer)
  counts[what] = { files: fileOperations() - before.files, entries: visited - before.visited }
}

try {
  for (let made = 0; made < partitions; made += 1000) {
    const topics = Array.from({ length: 10 }, (_, i) => topic(`t.${made}.${i}`, Math.min(1000, partitions - made) / 10))
    await client.call('CreateTopics', { topics, timeoutMs: 600_000 })
  }
  await count('create', () =>
    client.call('CreateTopics', { topics: [topic('new.1', 3), topic('new.2', 3)], timeoutMs: 60_000 }),
  )
  await count('grow', () =>
    client.call('CreatePartitions', { topics: [{ name: 'new.1', count: 5, assignments: null }], timeoutMs: 60_000 }),
  )
  const alter = (resourceType: number, resourceName: string, name: string, value: string) =>
    client.call('IncrementalAlterConfigs', {
      resources: [{ resourceType, resourceName, configs: [{ name, configOperation: 0, value }] }],
    })
  await count('configure a topic', () => alter(2, 'new.1', 'retention.ms', '1000'))
  await count('configure the broker', () => alter(4, '', 'max.connections', '1000'))
  await count('metadata of one topic', () => client.call('Metadata', { topics: [{ name: 'new.1' }] }, 12))
  const doomed = topic('doomed', 30)
  await client.call('CreateTopics', { topics: [doomed], timeoutMs: 60_000 })
  await count('delete 30 partitions', async () => {
    const answer = await client.call('DeleteTopics', { topics: [{ name: doomed.name }], timeoutMs: 60_000 })
    // the directories are renamed in the background
    while (readdirSync(dir).some(name => /^doomed-\d+$/.test(name))) await setImmediate()
    return answer
  })
  await count('create 30 partitions again', () => client.call('CreateTopics', { topics: [doomed], timeoutMs: 60_000 }))
  process.stdout.write(JSON.stringify(counts))
} finally {
  client.close()
  await broker.close()
  rmSync(dir, { recursive: true, force: true })
}
