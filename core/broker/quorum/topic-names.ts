import { ErrorCode } from '../../protocol/error-codes.ts'
import type { Refusal } from './controller-api.ts'

export const OFFSETS_TOPIC = '__consumer_offsets'
export const TRANSACTION_TOPIC = '__transaction_state'
/** The topic of share groups. Millrace has no share groups yet, but Kafka reserves this name. */
export const SHARE_STATE_TOPIC = '__share_group_state'
export const METADATA_TOPIC = '__cluster_metadata'
/** Kafka's Uuid for the metadata topic. */
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

const MAX_LENGTH = 249

/**
 * Whether clients see a topic as internal. Only the broker and Kafka's admin tools may write to
 * internal topics.
 */
export function isInternalTopic(name: string): boolean {
  return name === OFFSETS_TOPIC || name === TRANSACTION_TOPIC || name === SHARE_STATE_TOPIC
}

/**
 * Returns what is wrong with a topic's name, in Kafka's words. Returns null if the name is valid.
 */
export function topicNameProblem(name: string): string | null {
  if (name === '') return 'Topic name is invalid: the empty string is not allowed'
  if (name === '.' || name === '..') return `Topic name is invalid: '${name}' is not allowed`
  if (name.length > MAX_LENGTH)
    return `Topic name is invalid: the length of '${name}' is longer than the max allowed length ${MAX_LENGTH}`
  if (!/^[a-zA-Z0-9._-]+$/.test(name))
    return `Topic name is invalid: '${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
  return null
}

/** Returns the error for an invalid topic name, or null if the name is valid. */
export function refuseTopicName(name: string): Refusal | null {
  const message = topicNameProblem(name)
  return message === null ? null : { code: ErrorCode.INVALID_TOPIC_EXCEPTION, message }
}

/**
 * Returns the key of a topic name. Names with the same key differ only in `.` and `_`. Kafka
 * rejects a topic if another topic has the same key, because the metrics of the two topics would
 * have the same names.
 */
export function collisionKey(name: string): string {
  return name.replaceAll('.', '_')
}

/** Whether a name contains a character that can cause a collision with another name. */
export function mayCollide(name: string): boolean {
  return /[._]/.test(name)
}
