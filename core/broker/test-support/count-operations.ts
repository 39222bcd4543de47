/**
 * A program that measures the cost of metadata changes in a broker with argv[2] partitions. For
 * each change, counts the file operations, and the entries of metadata and of other large maps that
 * are visited. Prints the counts as JSON. Run it with `--import ./kill-at-operation.ts`, which
 * counts the file operations.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nextTurn } from '../../common/async/next-turn.ts'
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

/**
 * Visits are counted only for maps and sets of at least this size. Maps and sets with an entry per
 * partition are larger, and all others are smaller.
 */
const LARGE = 1000
for (const prototype of [Map.prototype, Set.prototype] as unknown as Record<string | symbol, unknown>[]) {
  for (const name of [Symbol.iterator, 'entries', 'keys', 'values']) {
    const original = prototype[name] as () => Iterable<unknown>
    prototype[name] = function (this: { size: number }) {
      const entries = original.call(this)
      return this.size < LARGE ? entries : counted(entries)
    }
  }
}

function* counted(entries: Iterable<unknown>): Generator<unknown> {
  for (const entry of entries) {
    visited++
    yield entry
  }
}

const broker = await startBroker({ 'log.dirs': dir, listeners: 'PLAINTEXT://127.0.0.1:0' })
const client = await RawClient.connect(broker.port)
const topic = (name: string, numPartitions: number) => ({ name, numPartitions, replicationFactor: 1 })
const counts: Record<string, { files: number; entries: number }> = {}

/**
 * The number of times that each change is measured. The lowest count is printed, because the
 * periodic maintenance, which visits every log once per second, increases some of the counts.
 */
const RUNS = 4

async function count(what: string, change: (n: number) => Promise<unknown>): Promise<void> {
  for (let n = 0; n < RUNS; n++) {
    const before = { files: fileOperations(), visited }
    const answer = JSON.stringify(await change(n))
    if (/"errorCode":[^0]/.test(answer)) throw new Error(answer)
    const now = { files: fileOperations() - before.files, entries: visited - before.visited }
    const least = counts[what] ?? now
    counts[what] = { files: Math.min(least.files, now.files), entries: Math.min(least.entries, now.entries) }
  }
}

try {
  for (let made = 0; made < partitions; made += 1000) {
    const topics = Array.from({ length: 10 }, (_, i) => topic(`t.${made}.${i}`, Math.min(1000, partitions - made) / 10))
    await client.call('CreateTopics', { topics, timeoutMs: 600_000 })
  }
  const create = (...topics: object[]) => client.call('CreateTopics', { topics, timeoutMs: 60_000 })
  await count('create', n => create(topic(`new.${n}`, 3), topic(`other.${n}`, 3)))
  await count('grow', n =>
    client.call('CreatePartitions', { topics: [{ name: `new.${n}`, count: 5, assignments: null }], timeoutMs: 60_000 }),
  )
  const alter = (resourceType: number, resourceName: string, name: string, value: string) =>
    client.call('IncrementalAlterConfigs', {
      resources: [{ resourceType, resourceName, configs: [{ name, configOperation: 0, value }] }],
    })
  await count('configure a topic', n => alter(2, `new.${n}`, 'retention.ms', '1000'))
  await count('configure the broker', n => alter(4, '', 'max.connections', String(1000 + n)))
  await count('metadata of one topic', n => client.call('Metadata', { topics: [{ name: `new.${n}` }] }, 12))
  for (let n = 0; n < RUNS; n++) await create(topic(`deleted-${n}`, 30))
  await count('delete 30 partitions', async n => {
    const answer = await client.call('DeleteTopics', { topics: [{ name: `deleted-${n}` }], timeoutMs: 60_000 })
    // Wait until the broker has renamed the directories, which it does in the background.
    const isThere = new RegExp(`^deleted-${n}-\\d+$`)
    while (readdirSync(dir).some(name => isThere.test(name))) await nextTurn()
    return answer
  })
  await count('create 30 partitions again', n => create(topic(`deleted-${n}`, 30)))
  process.stdout.write(JSON.stringify(counts))
} finally {
  client.close()
  await broker.close()
  rmSync(dir, { recursive: true, force: true })
}
