import { PatternError } from './pattern-error.ts'

/** Literal text, or the number of a group. */
export type ReplacementPart = string | number

/**
 * Parses Java's replacement text: `$1`, `${name}`, and a backslash before a literal character.
 * `$12` is group 12 if it exists, otherwise group 1 and the digit 2. Throws a PatternError with the
 * messages of Matcher.replaceFirst.
 */
export function parseReplacement(
  text: string,
  groups: number,
  names: ReadonlyMap<string, number>,
): readonly ReplacementPart[] {
  const parts: ReplacementPart[] = []
  let literal = ''
  let at = 0
  const reference = (group: number) => {
    parts.push(literal, group)
    literal = ''
  }
  while (at < text.length) {
    const c = text[at++]!
    if (c === '\\') {
      if (at >= text.length) throw PatternError.syntax('character to be escaped is missing', at)
      literal += text[at++]!
    } else if (c !== '$') {
      literal += c
    } else if (at >= text.length) {
      throw PatternError.syntax('Illegal group reference: group index is missing', at)
    } else if (text[at] === '{') {
      const { name, end } = groupName(text, at + 1)
      const group = names.get(name)
      if (group === undefined) throw PatternError.syntax(`No group with name {${name}}`, at)
      reference(group)
      at = end
    } else {
      const { group, end } = groupNumber(text, at, groups)
      reference(group)
      at = end
    }
  }
  parts.push(literal)
  return parts.filter(part => part !== '')
}

function groupName(text: string, start: number): { name: string; end: number } {
  const found = /^[a-zA-Z0-9]*/.exec(text.slice(start))![0]
  if (found === '') throw PatternError.syntax('named capturing group is missing trailing }', start)
  if (/^[0-9]/.test(found))
    throw PatternError.syntax(`capturing group name {${found}} starts with digit character`, start)
  if (text[start + found.length] !== '}')
    throw PatternError.syntax("named capturing group is missing trailing '}'", start)
  return { name: found, end: start + found.length + 1 }
}

function groupNumber(text: string, start: number, groups: number): { group: number; end: number } {
  const isDigit = (at: number) => at < text.length && text[at]! >= '0' && text[at]! <= '9'
  if (!isDigit(start)) throw PatternError.syntax('Illegal group reference', start)
  let group = Number(text[start])
  if (group > groups) throw PatternError.syntax(`No group ${group}`, start)
  let end = start + 1
  while (isDigit(end)) {
    const longer = group * 10 + Number(text[end])
    if (longer > groups) break
    group = longer
    end++
  }
  return { group, end }
}
