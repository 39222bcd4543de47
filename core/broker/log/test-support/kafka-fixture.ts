import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface FixtureRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key?: string | null
  readonly value?: string | null
  readonly control?: 'COMMIT' | 'ABORT'
}

interface Fixture {
  readonly files: Record<string, string>
  readonly records: Record<'fix-0' | 'comp-0', FixtureRecord[]>
}

/**
 * The files of a log directory that Apache Kafka 4.3.1 wrote, and the records that Apache's
 * kafka-dump-log found in them.
 */
export const kafkaFixture: Fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/kafka-4.3.1.json'), 'utf8'),
)

export function fixtureFile(path: string): Buffer {
  return Buffer.from(kafkaFixture.files[path]!, 'base64')
}

/** Writes the files of the fixture to a directory. */
export function unpackFixture(dir: string): void {
  for (const path of Object.keys(kafkaFixture.files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), fixtureFile(path))
  }
}
