import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from './io/files.ts'

const FILE = 'partition.metadata'

/**
 * Returns the topic id in a partition's directory, or null if it is missing or unreadable.
 */
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
 * Writes Kafka's `partition.metadata`, so that a topic recreated under an old name does not get the
 * old topic's records.
 */
export function writeTopicId(dir: string, topicId: string): void {
  // Written once, into a new directory. A partial file after a crash counts as absent.
  writeFileSync(join(dir, FILE), `version: 0\ntopic_id: ${topicId}`)
}
