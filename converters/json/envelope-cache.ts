import type { Schema } from 'millrace/connect'
import type { Precision } from './parse.ts'
import type { Reader } from './read-value.ts'

/** A parsed schema, and the reader of payloads with this schema. */
export interface ReadSchema {
  readonly schema: Schema | null
  readonly read: Reader
  /** Becomes `text` when a payload contains a decimal as a JSON number. */
  precision: Precision
}

interface Prefix {
  readonly bytes: Buffer
  readonly entry: ReadSchema
}

/** The maximum number of schemas per topic that are found by their bytes. */
const PER_TOPIC = 4

/**
 * Caches parsed schemas by the bytes before the payload. The records of a topic usually begin with
 * the same bytes, `{"schema":{...},"payload":`. Then only the payload is parsed. The cache contains
 * at most `limit` schemas.
 */
export class EnvelopeCache {
  readonly #limit: number
  readonly #byTopic = new Map<string, Prefix[]>()
  readonly #byText = new Map<string, ReadSchema>()

  constructor(limit: number) {
    this.#limit = limit
  }

  /**
   * Returns the schema at the start of a message and the position of the payload, or null if the
   * schema is not cached.
   */
  find(topic: string, bytes: Buffer): { entry: ReadSchema; payloadAt: number } | null {
    const prefixes = this.#byTopic.get(topic)
    if (!prefixes) return null
    for (const prefix of prefixes) {
      const { length } = prefix.bytes
      if (bytes.length > length && bytes.compare(prefix.bytes, 0, length, 0, length) === 0) {
        return { entry: prefix.entry, payloadAt: length }
      }
    }
    return null
  }

  /** Returns the schema with this JSON text. */
  get(text: string): ReadSchema | undefined {
    return this.#byText.get(text)
  }

  set(text: string, entry: ReadSchema): void {
    if (this.#byText.size >= this.#limit) {
      this.#byText.clear()
      this.#byTopic.clear()
    }
    this.#byText.set(text, entry)
  }

  /**
   * Stores the bytes before the payload, if the message begins with `{"schema":{...},"payload":`.
   */
  learn(topic: string, bytes: Buffer, entry: ReadSchema): void {
    const length = prefixLength(bytes)
    if (length === 0) return
    const prefixes = this.#byTopic.get(topic) ?? []
    prefixes.unshift({ bytes: Buffer.from(bytes.subarray(0, length)), entry })
    if (prefixes.length > PER_TOPIC) prefixes.pop()
    if (this.#byTopic.size >= this.#limit) this.#byTopic.clear()
    this.#byTopic.set(topic, prefixes)
  }
}

const START = Buffer.from('{"schema":{')
const PAYLOAD = Buffer.from(',"payload":')

/**
 * Returns the length of `{"schema":{...},"payload":` at the start of a message, or 0 for other
 * messages.
 */
function prefixLength(bytes: Buffer): number {
  if (bytes.length < START.length || bytes.compare(START, 0, START.length, 0, START.length) !== 0) return 0
  let depth = 1
  let at = START.length
  for (; at < bytes.length && depth > 0; at++) {
    const c = bytes[at]
    if (c === 0x22) {
      for (at++; at < bytes.length && bytes[at] !== 0x22; at++) if (bytes[at] === 0x5c) at++
    } else if (c === 0x7b || c === 0x5b) depth++
    else if (c === 0x7d || c === 0x5d) depth--
  }
  const end = at + PAYLOAD.length
  if (depth > 0 || end > bytes.length || bytes.compare(PAYLOAD, 0, PAYLOAD.length, at, end) !== 0) return 0
  return end
}
