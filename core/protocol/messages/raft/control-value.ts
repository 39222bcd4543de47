import { malformed } from '../../errors.ts'
import { decode, encodeToBuffer } from '../../schema/codec.ts'
import type { Message } from '../../schema/declare.ts'
import { parseVersions } from '../../schema/versions.ts'
import type {
  KRaftVersionRecord,
  LeaderChangeMessage,
  SnapshotFooterRecord,
  SnapshotHeaderRecord,
  VotersRecord,
} from './control-records.ts'

/**
 * The control records of KRaft. Their first field is their version, so no version precedes them.
 */
type KRaftControl =
  | typeof LeaderChangeMessage
  | typeof SnapshotHeaderRecord
  | typeof SnapshotFooterRecord
  | typeof KRaftVersionRecord
  | typeof VotersRecord

/** Encodes the value of a KRaft control record in the version that its first field contains. */
export function encodeKRaftControl<M extends KRaftControl>(declaration: M, value: Message<M>): Buffer {
  return encodeToBuffer(declaration, value.version, value as never)
}

/**
 * Decodes the value of a KRaft control record. Of a newer version it decodes only the known fields.
 */
export function decodeKRaftControl<M extends KRaftControl>(declaration: M, buf: Buffer): Message<M> {
  if (buf.length < 2) throw malformed(declaration.name, 'it has no version')
  return decode(declaration, Math.min(buf.readInt16BE(0), parseVersions(declaration.versions).max), buf)
}
