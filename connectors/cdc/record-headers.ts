import { randomBytes } from 'node:crypto'
import { type Header, primitive, type Schema } from 'millrace/connect'

const text = primitive('string')

/** Returns a UUID of version 7. Its first 48 bits are the time. */
export function uuidV7(now = Date.now()): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(now, 0, 6)
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/**
 * Returns the `__debezium.context.*` headers. All records of a task have the same headers until the
 * task restarts.
 */
export function contextHeaders(prefix: string, taskId: number, connector: string): readonly Header[] {
  const header = (name: string, value: string): Header => ({ key: `__debezium.context.${name}`, schema: text, value })
  return Object.freeze([
    header('connectorLogicalName', prefix),
    header('taskId', String(taskId)),
    header('connectorName', connector),
    header('runId', uuidV7()),
  ])
}

/** Returns the header of the delete event for a changed key. It contains the new key of the row. */
export const newKeyHeader = (schema: Schema, key: unknown): Header => ({ key: '__debezium.newkey', schema, value: key })
/** Returns the header of the create event for a changed key. It contains the old key of the row. */
export const oldKeyHeader = (schema: Schema, key: unknown): Header => ({ key: '__debezium.oldkey', schema, value: key })
