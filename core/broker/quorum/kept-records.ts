import {
  AccessControlEntryRecord,
  DelegationTokenRecord,
  RemoveAccessControlEntryRecord,
  RemoveDelegationTokenRecord,
  RemoveUserScramCredentialRecord,
  UserScramCredentialRecord,
} from '../../protocol/messages/metadata/security.ts'
import { decode } from '../../protocol/schema/codec.ts'
import type { MessageDeclaration } from '../../protocol/schema/declare.ts'
import { inVersions } from '../../protocol/schema/versions.ts'
import type { MetadataRecord, UnknownRecord } from './records.ts'

/**
 * What happens to the kept records when the log contains another record that Millrace does not use.
 * The new record replaces an earlier one, removes an earlier one, or is added.
 */
export type KeepRule =
  | { readonly does: 'replace'; readonly key: string }
  | { readonly does: 'remove'; readonly key: string }
  | { readonly does: 'add' }

interface Rule {
  readonly declaration: MessageDeclaration
  readonly does: 'replace' | 'remove'
  readonly key: (value: Record<string, unknown>) => string
}

/** How to find the key of a record. A removal has the key of the record that it removes. */
const RULES: readonly Rule[] = [
  { declaration: AccessControlEntryRecord, does: 'replace', key: v => `acl ${v['id']}` },
  { declaration: RemoveAccessControlEntryRecord, does: 'remove', key: v => `acl ${v['id']}` },
  { declaration: UserScramCredentialRecord, does: 'replace', key: v => `scram ${v['mechanism']} ${v['name']}` },
  { declaration: RemoveUserScramCredentialRecord, does: 'remove', key: v => `scram ${v['mechanism']} ${v['name']}` },
  { declaration: DelegationTokenRecord, does: 'replace', key: v => `token ${v['tokenId']}` },
  { declaration: RemoveDelegationTokenRecord, does: 'remove', key: v => `token ${v['tokenId']}` },
]

const BY_API_KEY = new Map(RULES.map(rule => [rule.declaration.apiKey!, rule]))

/**
 * The length of a record's frame: frame version, type and version. Each is below 128, so it takes
 * one byte.
 */
const FRAME_BYTES = 3

/**
 * Returns the effect of a record on the kept records. Returns null for records that the image
 * represents in other fields, and for markers.
 */
export function keepRuleOf(r: MetadataRecord | UnknownRecord): KeepRule | null {
  switch (r.kind) {
    case 'ClientQuota': {
      const { entity, key, remove } = r.value
      const names = entity.map(e => [e.entityType, e.entityName]).sort()
      return { does: remove ? 'remove' : 'replace', key: `quota ${JSON.stringify([names, key])}` }
    }
    case 'RegisterController':
      return { does: 'replace', key: `controller ${r.value.controllerId}` }
    case 'Unknown': {
      const rule = BY_API_KEY.get(r.apiKey)
      // A record of an unknown version is always kept.
      if (!rule || !inVersions(rule.declaration.versions, r.version)) return { does: 'add' }
      return { does: rule.does, key: rule.key(decode(rule.declaration, r.version, r.bytes, FRAME_BYTES)) }
    }
    default:
      return null
  }
}
