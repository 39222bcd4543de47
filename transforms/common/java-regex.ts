import { ConfigError } from '../../core/connect/index.ts'

/** A Java pattern as a RegExp that must match the whole text. `(?i)` in front is understood. Throws a ConfigError. */
export function javaPattern(key: string, pattern: string): RegExp {
  const insensitive = pattern.startsWith('(?i)')
  const body = insensitive ? pattern.slice(4) : pattern
  try {
    return new RegExp(`^(?:${body})$`, insensitive ? 'iu' : 'u')
  } catch (error) {
    throw new ConfigError([{ key, message: `Invalid regular expression for ${key}: ${(error as Error).message}` }])
  }
}

/**
 * Java's replacement text (`$1`, `${name}`, `\$`) filled with the groups of a match. As Matcher.appendReplacement: `$12` is group
 * 12 where there is one, else group 1 and a 2. Throws a ConfigError for a group that does not exist.
 */
export function expandReplacement(key: string, replacement: string, match: RegExpExecArray): string {
  const wrong = (what: string) => new ConfigError([{ key, message: `Invalid replacement ${replacement}: ${what}` }])
  let out = ''
  for (let at = 0; at < replacement.length; at++) {
    const c = replacement[at]!
    if (c === '\\') {
      at++
      if (at >= replacement.length) throw wrong('it ends with a backslash')
      out += replacement[at]
    } else if (c !== '$') {
      out += c
    } else if (replacement[at + 1] === '{') {
      const end = replacement.indexOf('}', at)
      const name = replacement.slice(at + 2, end)
      if (end < 0 || !match.groups || !(name in match.groups)) throw wrong(`no group {${name}}`)
      out += match.groups[name] ?? ''
      at = end
    } else {
      let digits = 1
      if (!/\d/.test(replacement[at + 1] ?? '')) throw wrong('a $ must be followed by a group')
      while (/\d/.test(replacement[at + digits + 1] ?? '')) {
        if (Number(replacement.slice(at + 1, at + digits + 2)) >= match.length) break
        digits++
      }
      const group = Number(replacement.slice(at + 1, at + digits + 1))
      if (group >= match.length) throw wrong(`no group ${group}`)
      out += match[group] ?? ''
      at += digits
    }
  }
  return out
}
