import type { MessageDeclaration } from '../../protocol/schema/declare.ts'
import { parseVersions } from '../../protocol/schema/versions.ts'

/** The messages of an API, and the range of versions that this client supports. */
export interface Api<
  Q extends MessageDeclaration = MessageDeclaration,
  R extends MessageDeclaration = MessageDeclaration,
> {
  readonly key: number
  readonly name: string
  readonly request: Q
  readonly response: R
  readonly min: number
  readonly max: number
}

/**
 * Returns the API to which the messages belong. `range` restricts the declared versions to those
 * that the caller supports.
 */
export function defineApi<Q extends MessageDeclaration, R extends MessageDeclaration>(
  request: Q,
  response: R,
  range: { min?: number; max?: number } = {},
): Api<Q, R> {
  const declared = parseVersions(request.versions)
  const stable = request.latestVersionUnstable ? declared.max - 1 : declared.max
  return {
    key: request.apiKey!,
    name: request.name.replace(/Request$/, ''),
    request,
    response,
    min: Math.max(declared.min, range.min ?? 0),
    max: Math.min(stable, range.max ?? stable),
  }
}

/** The versions that a broker supports, by API key. */
export type BrokerVersions = ReadonlyMap<number, { readonly min: number; readonly max: number }>

/**
 * Returns the newest version that both sides support and that does not exceed `cap`. Returns null
 * if there is no common version.
 */
export function commonVersion(api: Api, broker: BrokerVersions, cap = Number.POSITIVE_INFINITY): number | null {
  const offered = broker.get(api.key)
  if (!offered) return null
  const version = Math.min(api.max, offered.max, cap)
  return version >= api.min && version >= offered.min ? version : null
}
