import { apis } from '../api-keys.ts'
import * as assignment from '../messages/consumer/assignment.ts'
import * as subscription from '../messages/consumer/subscription.ts'
import * as groups from '../messages/coordinator/groups.ts'
import * as offsets from '../messages/coordinator/offsets.ts'
import * as transactions from '../messages/coordinator/transactions.ts'
import { metadataRecords } from '../messages/metadata/metadata-record.ts'
import * as controlRecords from '../messages/raft/control-records.ts'
import * as markers from '../messages/raft/transaction-markers.ts'
import type { MessageDeclaration } from '../schema/declare.ts'
import { parseVersions } from '../schema/versions.ts'

/** All declared messages. */
export const allDeclarations: readonly MessageDeclaration[] = [
  ...[...apis.values()].flatMap(api => [api.request, api.response]),
  ...Object.values(metadataRecords),
  ...[groups, offsets, transactions, controlRecords, markers, assignment, subscription].flatMap(module =>
    Object.values<MessageDeclaration>(module),
  ),
]

/** Returns the versions of a message, in ascending order. */
export function versionsOf(declaration: MessageDeclaration): number[] {
  const { min, max } = parseVersions(declaration.versions)
  return Array.from({ length: max - min + 1 }, (_, i) => min + i)
}
