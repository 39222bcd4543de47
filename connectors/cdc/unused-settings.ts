import type { ConfigDef } from 'millrace/connect'

export interface UnusedSetting {
  readonly key: string
  readonly reason: string
}

/** Returns the settings that have no effect, but whose values differ from their defaults. */
export function unusedSettings(def: ConfigDef, props: Readonly<Record<string, string>>): UnusedSetting[] {
  return Object.entries(def).flatMap(([key, { noEffect, default: fallback }]) => {
    const given = props[key]?.trim()
    if (noEffect === undefined || given === undefined || given === '') return []
    const shown = Array.isArray(fallback) ? fallback.join(',') : String(fallback ?? '')
    return given.toLowerCase() === shown.toLowerCase() ? [] : [{ key, reason: noEffect }]
  })
}
