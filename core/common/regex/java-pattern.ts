import { type Emitted, emitPattern } from './emitter.ts'
import { type Flags, NO_FLAGS } from './flags.ts'
import { type Parsed, parsePattern } from './parser.ts'
import { PatternError } from './pattern-error.ts'
import { parseReplacement, type ReplacementPart } from './replacement.ts'

/**
 * A pattern of java.util.regex, executed by JavaScript's RegExp. As in Java, nested repetitions
 * such as `(a+)+` can take exponential time on a long text that does not match.
 */
export class JavaPattern {
  readonly pattern: string
  /** Matches a whole string. */
  readonly whole: RegExp
  readonly #parsed: Parsed
  readonly #emitted: Emitted
  readonly #first: RegExp

  private constructor(pattern: string, flags: Flags) {
    this.pattern = pattern
    this.#parsed = parsePattern(pattern, flags)
    this.#emitted = emitPattern(this.#parsed.root, this.#parsed.groups)
    this.whole = new RegExp(`^(?:${this.#emitted.source})$`, 'v')
    this.#first = new RegExp(this.#emitted.source, 'v')
  }

  /**
   * Compiles a pattern, like Java's Pattern.compile. Throws a PatternError if the pattern is
   * invalid, or if JavaScript cannot express it.
   */
  static compile(pattern: string, flags: Partial<Flags> = {}): JavaPattern {
    try {
      return new JavaPattern(pattern, { ...NO_FLAGS, ...flags })
    } catch (error) {
      if (error instanceof PatternError) throw error
      // V8 rejects patterns that are too large or have too many groups.
      throw PatternError.tooLarge((error as Error).message)
    }
  }

  /** Returns the error message for a pattern, or null if the pattern is valid. */
  static wrong(pattern: string, flags: Partial<Flags> = {}): string | null {
    try {
      JavaPattern.compile(pattern, flags)
      return null
    } catch (error) {
      if (error instanceof PatternError) return error.message
      throw error
    }
  }

  /**
   * The groups whose text can differ from Java's: JavaScript resets groups at each iteration of a
   * repetition, accepts no empty iteration, and matches a lookbehind from right to left.
   */
  get unreliableGroups(): ReadonlySet<number> {
    return this.#emitted.unreliable
  }

  /** Returns whether the whole text matches, like Java's Matcher.matches. */
  matches(text: string): boolean {
    return this.whole.test(text)
  }

  /**
   * Returns the groups of a match of the whole text, from group 1 on. A group that did not match is
   * null. Returns null if the text does not match.
   */
  groups(text: string): (string | null)[] | null {
    const match = this.whole.exec(text)
    if (!match) return null
    return Array.from({ length: this.#parsed.groups }, (_, i) => this.#group(match, i + 1))
  }

  /** Parses a replacement for `replaceFirst`. Throws a PatternError. */
  replacement(text: string): readonly ReplacementPart[] {
    const parts = parseReplacement(text, this.#parsed.groups, this.#parsed.names)
    for (const part of parts) {
      if (typeof part === 'number' && this.#emitted.unreliable.has(part)) {
        throw PatternError.unsupported(`a reference ($${part}) to a group whose text may differ from Java's`)
      }
    }
    return parts
  }

  /** Replaces the first match in the text, like Java's Matcher.replaceFirst. */
  replaceFirst(text: string, replacement: readonly ReplacementPart[]): string {
    const match = this.#first.exec(text)
    if (!match) return text
    const filled = replacement
      .map(part => (typeof part === 'string' ? part : (this.#group(match, part) ?? '')))
      .join('')
    return text.slice(0, match.index) + filled + text.slice(match.index + match[0].length)
  }

  #group(match: RegExpExecArray, group: number): string | null {
    const index = group === 0 ? 0 : this.#emitted.indexes.get(group)!
    return match[index] ?? null
  }
}
