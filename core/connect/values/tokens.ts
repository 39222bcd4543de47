const DELIMITERS = new Set([':', ',', '{', '}', '[', ']', '"'])

/**
 * Splits a string at the delimiters `: , { } [ ] "` unless a backslash precedes them. Each
 * delimiter is a token.
 */
export class Tokens {
  readonly original: string
  #at = 0

  constructor(text: string) {
    this.original = text
  }

  get hasNext(): boolean {
    return this.#at < this.original.length
  }

  mark(): number {
    return this.#at
  }

  rewindTo(position: number): void {
    this.#at = position
  }

  /** Returns the next token, or an empty string at the end. */
  next(): string {
    const start = this.#at
    let escaped = false
    for (; this.#at < this.original.length; this.#at++) {
      const c = this.original[this.#at]!
      if (c === '\\') {
        escaped = !escaped
        continue
      }
      if (DELIMITERS.has(c) && !escaped) {
        if (start < this.#at) break
        this.#at++
        return c
      }
      escaped = false
    }
    return this.original.slice(start, this.#at)
  }

  /**
   * Returns `count` tokens as one text. Returns null and consumes nothing if fewer tokens are left.
   */
  nextJoined(count: number): string | null {
    const position = this.#at
    let out = ''
    for (let i = 0; i < count; i++) {
      if (!this.hasNext) {
        this.#at = position
        return null
      }
      out += this.next()
    }
    return out
  }

  /**
   * Consumes the next token if it equals `expected`. Ignores white space around the token, unless
   * `exactly` is true.
   */
  consume(expected: string, exactly = false): boolean {
    const position = this.#at
    let token = this.next()
    // Blank tokens before the expected token are white space too.
    while (!exactly && token !== '' && token.trim() === '' && this.hasNext) token = this.next()
    if ((exactly ? token : token.trim()) === expected) return true
    this.#at = position
    return false
  }
}
