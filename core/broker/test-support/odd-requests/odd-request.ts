import type { RawClient } from '../raw-client.ts'

/** An unusual request, whose responses from two brokers are compared. */
export interface OddRequest {
  readonly api: Parameters<RawClient['call']>[0]
  /** The request, or a function that creates it from the ids of a broker's topics. */
  readonly input: object | ((idOf: (topic: string) => string) => object)
  readonly version: number | undefined
  /** Why our response differs from Apache's. The test then only expects some response. */
  readonly differs?: string
}

/** An id that belongs to no topic. */
export const NO_TOPIC = 'SRUODZFdSQqGegZn0QSnKA'
export const ZERO = 'AAAAAAAAAAAAAAAAAAAAAA'
export const LONG_NAME = 'x'.repeat(250)
/** Invalid and extreme topic names. */
export const ODD_NAMES = ['', '.', '..', 'a b', 'a/b', 'ä', LONG_NAME]
export const MIN_INT32 = -(2 ** 31)
export const MAX_INT32 = 2 ** 31 - 1

/** The topics that must exist, with their numbers of partitions. */
export const ODD_TOPICS: Readonly<Record<string, number>> = {
  'odd-a': 2,
  'odd-b': 1,
  'odd-c': 1,
  'odd-d': 1,
  'odd-e': 1,
  'odd-f': 1,
  'odd-g': 1,
  'odd-h': 1,
}

/** Combines every input with every version. Without versions, the latest version is used. */
export function requests(
  api: OddRequest['api'],
  inputs: readonly OddRequest['input'][],
  ...versions: number[]
): OddRequest[] {
  const each = versions.length === 0 ? [undefined] : versions
  return each.flatMap(version => inputs.map(input => ({ api, input, version })))
}

/** Requests whose responses differ deliberately. docs/compatibility.md lists them. */
export function differing(differs: string, list: readonly OddRequest[]): OddRequest[] {
  return list.map(r => ({ ...r, differs }))
}

export const APACHE_FAULT = 'Apache answers UNKNOWN_SERVER_ERROR'

export const ANSWERED_ONCE = 'Millrace answers a repeated item once'

export const named = (...names: (string | null)[]) => names.map(name => ({ name }))
