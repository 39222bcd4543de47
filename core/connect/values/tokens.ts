const DELIMITERS = new Set([':', ',', '{', '}', '[', ']', '"'])

/** Cuts a text at the delimiters `: , { } [ ] "` that no backslash precedes; each delimiter is a token of its own. */
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

  /** The next token; the empty text at the end. */
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

  /** `count` tokens as one text; null, and nothing consumed, where there are fewer. */
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

  /** Consumes the next token if it is this one, white space around it ignored unless `exactly`. */
  consume(expected: string, exactly = false): boolean {
    const position = this.#at
    let token = this.next()
    // Blank tokens in front are white space too.
    while (!exactly && token !== '' && token.trim() === '' && this.hasNext) token = this.next()
    if ((exactly ? token : token.trim()) === expected) return true
    this.#at = position
    return false
  }
}
