import type { RawClient } from '../raw-client.ts'

/**
 * An unusual request. A test sends it to Millrace and to Apache Kafka, and compares the responses.
 */
export interface OddRequest {
  readonly api: Parameters<RawClient['call']>[0]
  /**
   * The request, or a function that returns the request. `idOf` returns the id of a topic in the
   * broker.
   */
  readonly input: object | ((idOf: (topic: string) => string) => object)
  readonly version: number | undefined
  /**
   * How the response of Millrace differs from Apache Kafka's. The test then accepts any response.
   */
  readonly differs?: string
}

/** A topic id that does not exist. */
export const NO_TOPIC = 'SRUODZFdSQqGegZn0QSnKA'
export const ZERO = 'AAAAAAAAAAAAAAAAAAAAAA'
export const LONG_NAME = 'x'.repeat(250)
/** Invalid and extreme topic names. */
export const ODD_NAMES = ['', '.', '..', 'a b', 'a/b', 'ä', LONG_NAME]
export const MIN_INT32 = -(2 ** 31)
export const MAX_INT32 = 2 ** 31 - 1

/** The topics that the requests refer to, with their numbers of partitions. */
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

/**
 * Returns a request for each combination of an input and a version. If no version is listed, the
 * requests use the latest version.
 */
export function requests(
  api: OddRequest['api'],
  inputs: readonly OddRequest['input'][],
  ...versions: number[]
): OddRequest[] {
  const each = versions.length === 0 ? [undefined] : versions
  return each.flatMap(version => inputs.map(input => ({ api, input, version })))
}

/**
 * Marks requests for which Millrace's response deliberately differs from Apache Kafka's.
 * docs/compatibility.md lists these differences.
 */
export function differing(differs: string, list: readonly OddRequest[]): OddRequest[] {
  return list.map(r => ({ ...r, differs }))
}

export const APACHE_FAULT = 'Apache Kafka returns UNKNOWN_SERVER_ERROR'

export const ANSWERED_ONCE = 'Millrace returns one result for an item that a request lists twice'

export const named = (...names: (string | null)[]) => names.map(name => ({ name }))
