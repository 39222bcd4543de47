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
 * The declarations of KRaft control records. The first field of each record is its version, so no
 * separate version precedes the record.
 */
type KRaftControl =
  | typeof LeaderChangeMessage
  | typeof SnapshotHeaderRecord
  | typeof SnapshotFooterRecord
  | typeof KRaftVersionRecord
  | typeof VotersRecord

/**
 * Encodes the value of a KRaft control record in the version that the record's first field
 * contains.
 */
export function encodeKRaftControl<M extends KRaftControl>(declaration: M, value: Message<M>): Buffer {
  return encodeToBuffer(declaration, value.version, value as never)
}

/**
 * Decodes the value of a KRaft control record. In a record of a newer version, only the known
 * fields are decoded.
 */
export function decodeKRaftControl<M extends KRaftControl>(declaration: M, buf: Buffer): Message<M> {
  if (buf.length < 2) throw malformed(declaration.name, 'it has no version')
  return decode(declaration, Math.min(buf.readInt16BE(0), parseVersions(declaration.versions).max), buf)
}
