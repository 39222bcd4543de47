import { JavaPattern } from 'millrace/connect/java'

/**
 * Returns the expressions of a list of regular expressions in Debezium's syntax. Expressions are
 * separated by commas. `\,` is a comma within an expression.
 */
export function splitPatterns(list: string | null | undefined): string[] {
  if (!list) return []
  const parts: string[] = []
  let part = ''
  for (let i = 0; i < list.length; i++) {
    const c = list[i]!
    if (c === '\\' && i + 1 < list.length) {
      const next = list[++i]!
      part += next === ',' ? ',' : c + next
    } else if (c === ',') {
      parts.push(part)
      part = ''
    } else {
      part += c
    }
  }
  parts.push(part)
  return parts.map(p => p.trim()).filter(p => p !== '')
}

/**
 * Compiles one expression, which must match a whole name and ignores the case of ASCII letters.
 * Throws PatternError.
 */
export function anchored(pattern: string): RegExp {
  return JavaPattern.compile(pattern, { ignoreCase: true }).whole
}

/** Compiles a list. Returns null for an empty list. */
export function compileList(list: string | null | undefined): RegExp[] | null {
  const patterns = splitPatterns(list)
  return patterns.length === 0 ? null : patterns.map(anchored)
}

/** Returns what is wrong with the first invalid expression of a list, or null if all are valid. */
export function wrongPattern(list: string): string | null {
  for (const pattern of splitPatterns(list)) {
    const wrong = JavaPattern.wrong(pattern, { ignoreCase: true })
    if (wrong !== null) return `'${pattern}' is not a valid regular expression: ${wrong}`
  }
  return null
}

export const matchesAny = (patterns: readonly RegExp[], name: string): boolean => patterns.some(p => p.test(name))
