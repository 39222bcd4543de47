import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from './files.ts'

const FILE = 'partition.metadata'

/** The topic id in a partition's directory; null when there is none, or none that can be read. */
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

/** Writes Kafka's `partition.metadata`: so a topic made anew under an old name is not given the old one's records. */
export function writeTopicId(dir: string, topicId: string): void {
  // written once, into a new directory: torn by a crash it counts as absent
  writeFileSync(join(dir, FILE), `version: 0\ntopic_id: ${topicId}`)
}
