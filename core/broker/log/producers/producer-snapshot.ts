import { crc32c } from '../../../protocol/records/crc32c.ts'
import { readInt64, readProducerId, writeInt64 } from '../io/int64.ts'
import { lastSequence, type ProducerEntry } from './producer-state.ts'

const VERSION = 1
const CRC_AT = 2
const ENTRIES_AT = 6
const HEADER = 10
const ENTRY = 46
const MAX_SEQUENCE = 0x7fffffff

/**
 * Encodes a `.snapshot` file (Kafka's ProducerSnapshot.json, version 1). For each producer, the
 * file contains the last batch, the epochs and the open transaction. The CRC-32C covers all bytes
 * that follow the CRC field.
 */
export function encodeSnapshot(entries: Iterable<ProducerEntry>): Buffer {
  const all = [...entries]
  const bytes = Buffer.alloc(HEADER + all.length * ENTRY)
  bytes.writeInt16BE(VERSION, 0)
  bytes.writeInt32BE(all.length, ENTRIES_AT)
  let at = HEADER
  for (const e of all) {
    const last = e.batches.at(-1)
    writeInt64(bytes, e.producerId, at)
    bytes.writeInt16BE(e.epoch, at + 8)
    bytes.writeInt32BE(lastSequence(e), at + 10)
    writeInt64(bytes, last?.lastOffset ?? -1, at + 14)
    bytes.writeInt32BE(last === undefined ? 0 : last.lastOffset - last.firstOffset, at + 22)
    writeInt64(bytes, e.lastTimestamp, at + 26)
    bytes.writeInt32BE(e.coordinatorEpoch, at + 34)
    writeInt64(bytes, e.txnFirstOffset, at + 38)
    at += ENTRY
  }
  bytes.writeUInt32BE(crc32c(bytes, ENTRIES_AT) >>> 0, CRC_AT)
  return bytes
}

/**
 * Decodes a snapshot. Returns null if it is malformed. The caller then rebuilds the states from the
 * segments.
 */
export function decodeSnapshot(bytes: Buffer): ProducerEntry[] | null {
  if (bytes.length < HEADER || bytes.readInt16BE(0) !== VERSION) return null
  if (bytes.readUInt32BE(CRC_AT) !== crc32c(bytes, ENTRIES_AT) >>> 0) return null
  const count = bytes.readInt32BE(ENTRIES_AT)
  if (count < 0 || bytes.length !== HEADER + count * ENTRY) return null
  const entries: ProducerEntry[] = []
  for (let at = HEADER; at < bytes.length; at += ENTRY) {
    const lastOffset = readInt64(bytes, at + 14)
    const delta = bytes.readInt32BE(at + 22)
    const last = bytes.readInt32BE(at + 10)
    const timestamp = readInt64(bytes, at + 26)
    const first = last < 0 ? -1 : last >= delta ? last - delta : last - delta + MAX_SEQUENCE + 1
    const batch = { firstSequence: first, lastSequence: last, firstOffset: lastOffset - delta, lastOffset, timestamp }
    entries.push({
      producerId: readProducerId(bytes, at),
      epoch: bytes.readInt16BE(at + 8),
      batches: lastOffset < 0 ? [] : [batch],
      coordinatorEpoch: bytes.readInt32BE(at + 34),
      lastTimestamp: timestamp,
      txnFirstOffset: readInt64(bytes, at + 38),
    })
  }
  return entries
}
