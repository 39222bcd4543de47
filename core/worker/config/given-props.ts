import type { Props } from '../../connect/props.ts'

/** A configuration as a request gives it: with null for some keys. */
export type GivenProps = Readonly<Record<string, string | null>>

/** The values that are there, and the keys whose value is null. */
export function withoutNulls(given: GivenProps): [config: Props, nulls: string[]] {
  const config: Record<string, string> = {}
  const nulls: string[] = []
  for (const [key, value] of Object.entries(given)) {
    if (value === null) nulls.push(key)
    else config[key] = value
  }
  return [config, nulls]
}
