import type { Props } from '../../connect/props.ts'

/** A configuration in a request, in which values may be null. */
export type GivenProps = Readonly<Record<string, string | null>>

/** Returns the non-null values, and the keys whose value is null. */
export function withoutNulls(given: GivenProps): [config: Props, nulls: string[]] {
  const config: Record<string, string> = {}
  const nulls: string[] = []
  for (const [key, value] of Object.entries(given)) {
    if (value === null) nulls.push(key)
    else config[key] = value
  }
  return [config, nulls]
}
