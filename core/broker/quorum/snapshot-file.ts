import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { SnapshotFooterRecord, SnapshotHeaderRecord } from '../../protocol/messages/raft/control-records.ts'
import { decodeKRaftControl, encodeKRaftControl } from '../../protocol/messages/raft/control-value.ts'
import { RecordBatchBuilder } from '../../protocol/records/batch-builder.ts'
import { batchSize, HEADER_SIZE } from '../../protocol/records/batch-header.ts'
import { type DecodedBatch, readBatches } from '../../protocol/records/batch-reader.ts'
import { type ControlRecordType, controlRecordKey, controlRecordType } from '../../protocol/records/control-records.ts'
import { removeFile, syncDirectory } from '../log/io/files.ts'
import type { QuorumRecords } from './image.ts'
import { METADATA_TOPIC } from './topic-names.ts'

/**
 * Identifies a snapshot, which contains all records before `endOffset`. `epoch` is the epoch of the
 * last of these records.
 */
export interface SnapshotId {
  readonly endOffset: number
  readonly epoch: number
}

const SUFFIX = '.checkpoint'
const PART = '.checkpoint.part'
/** The suffix of a snapshot that Apache is about to remove. */
const DELETED = '.checkpoint.deleted'

/**
 * The approximate size of a batch of records in a snapshot. A reader reads each batch as a whole.
 */
const BATCH_BYTES = 256 << 10
const READ_BYTES = 1 << 20
/** The maximum size of a batch. Batches that Apache writes have at most 8 MiB. */
const MAX_BATCH_BYTES = 256 << 20

/** Returns the file name of a snapshot: `<end offset, 20 digits>-<epoch, 10 digits>.checkpoint`. */
export function snapshotName({ endOffset, epoch }: SnapshotId): string {
  return `${String(endOffset).padStart(20, '0')}-${String(epoch).padStart(10, '0')}${SUFFIX}`
}

/** Parses the file name of a snapshot. Returns null if a file is not a snapshot. */
export function parseSnapshotName(name: string): SnapshotId | null {
  const m = /^(\d{20})-(\d{10})\.checkpoint$/.exec(name)
  if (m === null) return null
  const id = { endOffset: Number(m[1]), epoch: Number(m[2]) }
  return Number.isSafeInteger(id.endOffset) ? id : null
}

/** Whether a file is a partial or removed snapshot that a crash left behind. */
export function isSnapshotLeftover(name: string): boolean {
  return name.endsWith(PART) || name.endsWith(DELETED)
}

export interface SnapshotContents {
  readonly id: SnapshotId
  /** The timestamp of the last record in the snapshot. */
  readonly timestamp: number
  readonly quorum: QuorumRecords
  readonly records: Iterable<Buffer>
}

/** Yields the encoded batches of a snapshot. As in Apache Kafka, offsets in the file start at 0. */
function* snapshotBatches(s: SnapshotContents, now: number): Generator<Buffer> {
  let offset = 0
  const built = (builder: RecordBatchBuilder): Buffer => {
    offset += builder.count
    return builder.build()
  }
  const begin = (control: boolean, initialSize: number) =>
    new RecordBatchBuilder({ control, baseOffset: offset, leaderEpoch: s.id.epoch, initialSize })
  const control = (values: readonly (readonly [ControlRecordType, Buffer | null])[]): Buffer => {
    const builder = begin(true, 256)
    for (const [type, value] of values) if (value !== null) builder.append(controlRecordKey(type), value, now)
    return built(builder)
  }
  const header = encodeKRaftControl(SnapshotHeaderRecord, { version: 0, lastContainedLogTimestamp: s.timestamp })
  yield control([
    ['snapshot-header', header],
    ['kraft-version', s.quorum.kraftVersion],
    ['kraft-voters', s.quorum.voters],
  ])
  let builder = begin(false, BATCH_BYTES)
  for (const bytes of s.records) {
    builder.append(null, bytes, now)
    if (builder.sizeInBytes < BATCH_BYTES) continue
    yield built(builder)
    builder = begin(false, BATCH_BYTES)
  }
  if (builder.count > 0) yield built(builder)
  yield control([['snapshot-footer', encodeKRaftControl(SnapshotFooterRecord, { version: 0 })]])
}

/**
 * Writes a snapshot next to the metadata log. The file is written under a temporary name, synced,
 * and then renamed. A file with the final name is therefore complete, even if the process or the
 * machine dies.
 */
export async function writeSnapshot(dir: string, s: SnapshotContents, now: number): Promise<void> {
  const path = join(dir, snapshotName(s.id))
  const part = join(dir, snapshotName(s.id).replace(SUFFIX, PART))
  try {
    const handle = await open(part, 'w')
    try {
      for (const batch of snapshotBatches(s, now)) await handle.writeFile(batch)
      await handle.datasync()
    } finally {
      await handle.close()
    }
    await rename(part, path)
    await syncDirectory(dir)
  } catch (error) {
    removeFile(part)
    throw error
  }
}

/**
 * Yields the batches of a file, whose checksums are verified. Throws a RangeError or a protocol
 * error if the file contains anything but complete batches.
 */
async function* batchesOf(path: string): AsyncGenerator<DecodedBatch> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    let at = 0
    while (at < size) {
      let wanted = Math.min(READ_BYTES, size - at)
      if (wanted >= HEADER_SIZE) {
        const head = Buffer.alloc(HEADER_SIZE)
        await handle.read(head, 0, HEADER_SIZE, at)
        wanted = Math.max(wanted, batchSize(head, 0))
      }
      if (wanted > size - at || wanted > MAX_BATCH_BYTES) throw new RangeError(`it is truncated at byte ${at}`)
      const bytes = Buffer.allocUnsafeSlow(wanted)
      const { bytesRead } = await handle.read(bytes, 0, wanted, at)
      const before = at
      for (const batch of readBatches(bytes.subarray(0, bytesRead), { checkCrc: true })) {
        at += batch.size
        yield batch
      }
      if (at === before) throw new RangeError(`it is truncated at byte ${at}`)
    }
  } finally {
    await handle.close()
  }
}

/** Returns the control records of a batch by their type. */
export function controlRecordsOf(batch: DecodedBatch): Map<ControlRecordType | 'unknown', Buffer> {
  const found = new Map<ControlRecordType | 'unknown', Buffer>()
  for (const r of batch.records()) if (r.value !== null) found.set(controlRecordType(r), r.value)
  return found
}

/** Returns the records about the quorum among these control records. */
export function quorumRecordsIn(found: ReadonlyMap<string, Buffer>): Partial<QuorumRecords> {
  const kraftVersion = found.get('kraft-version')
  const voters = found.get('kraft-voters')
  // Copy the bytes, because they are slices of a larger read buffer.
  return {
    ...(kraftVersion && { kraftVersion: Buffer.from(kraftVersion) }),
    ...(voters && { voters: Buffer.from(voters) }),
  }
}

export type SnapshotPart =
  | { readonly kind: 'header'; readonly timestamp: number }
  | { readonly kind: 'quorum'; readonly quorum: Partial<QuorumRecords> }
  | { readonly kind: 'records'; readonly values: readonly Buffer[] }

/**
 * Reads the parts of a snapshot in order. Throws if the snapshot is damaged. A snapshot that does
 * not end with a footer is incomplete, and also counts as damaged.
 */
export async function* readSnapshot(path: string): AsyncGenerator<SnapshotPart> {
  let hasHeader = false
  let hasFooter = false
  let next = 0
  for await (const batch of batchesOf(path)) {
    if (hasFooter) throw new RangeError('it continues after its footer')
    if (batch.baseOffset !== next) throw new RangeError(`record ${next} is missing`)
    next = batch.baseOffset + batch.lastOffsetDelta + 1
    if (!batch.isControl) {
      if (!hasHeader) throw new RangeError('it has no header')
      yield { kind: 'records', values: valuesOf(batch) }
      continue
    }
    const found = controlRecordsOf(batch)
    const header = found.get('snapshot-header')
    if (header) {
      hasHeader = true
      yield { kind: 'header', timestamp: decodeKRaftControl(SnapshotHeaderRecord, header).lastContainedLogTimestamp }
    }
    yield { kind: 'quorum', quorum: quorumRecordsIn(found) }
    hasFooter = found.has('snapshot-footer')
  }
  if (!hasFooter) throw new RangeError('it has no footer: it was not completely written')
}

/** Returns the timestamp of the last record in a snapshot, from the snapshot's header. */
export async function snapshotTimestamp(path: string): Promise<number> {
  for await (const part of readSnapshot(path)) if (part.kind === 'header') return part.timestamp
  return 0
}

function valuesOf(batch: DecodedBatch): Buffer[] {
  return batch.records().map(r => {
    if (r.value === null) throw new RangeError(`record ${r.offset} of ${METADATA_TOPIC} has no value`)
    return r.value
  })
}
