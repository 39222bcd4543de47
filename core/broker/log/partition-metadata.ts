import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from './io/files.ts'

const FILE = 'partition.metadata'

/** Returns the topic id in `partition.metadata`, or null if the file is missing or malformed. */
export function readTopicId(dir: string): string | null {
  let text: string
  try {
    text = readFileSync(join(dir, FILE), 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    throw error
  }
  return /^topic_id: ([A-Za-z0-9_-]{22})$/m.exec(text)?.[1] ?? null
}

/**
 * Writes the topic id to Kafka's `partition.metadata`, so that a recreated topic does not get the
 * records of the old topic with the same name.
 */
export function writeTopicId(dir: string, topicId: string): void {
  // A crash may leave a partial file. `readTopicId` then returns null.
  writeFileSync(join(dir, FILE), `version: 0\ntopic_id: ${topicId}`)
}
