import { PatternError } from './pattern-error.ts'

export const END = -1

/** A pattern as code points. Code points between `\Q` and `\E` are marked as quoted. */
export class Cursor {
  readonly #codes: number[] = []
  readonly #quoted: boolean[] = []
  at = 0
  /** Whether white space and comments are skipped (the flag `x`). */
  comments = false

  constructor(pattern: string) {
    const codes = [...pattern].map(c => c.codePointAt(0)!)
    let quoted = false
    for (let i = 0; i < codes.length; i++) {
      const isBackslash = codes[i] === 0x5c
      if (isBackslash && codes[i + 1] === (quoted ? 0x45 : 0x51)) {
        quoted = !quoted
        i++
        continue
      }
      this.#push(codes[i]!, quoted)
      if (isBackslash && !quoted && i + 1 < codes.length) this.#push(codes[++i]!, false)
    }
  }

  #push(code: number, quoted: boolean): void {
    this.#codes.push(code)
    this.#quoted.push(quoted)
  }

  get ended(): boolean {
    this.#skip()
    return this.at >= this.#codes.length
  }

  /** Returns the next code point without consuming it. Returns END at the end. */
  peek(): number {
    this.#skip()
    return this.#codes[this.at] ?? END
  }

  /** Whether the next code point is this character and is not quoted. */
  sees(character: string): boolean {
    return this.peek() === character.codePointAt(0) && !this.isQuoted
  }

  /** Whether these ASCII characters follow, without skipped text between them. */
  seesText(text: string): boolean {
    this.#skip()
    return [...text].every((c, i) => this.#codes[this.at + i] === c.charCodeAt(0) && !this.#quoted[this.at + i])
  }

  /** Returns the code point after the next one, without consuming it. */
  second(): number {
    this.#skip()
    return this.#codes[this.at + 1] ?? END
  }

  get isQuoted(): boolean {
    this.#skip()
    return this.#quoted[this.at] ?? false
  }

  take(): number {
    this.#skip()
    return this.#codes[this.at++] ?? END
  }

  /** Consumes the next code point, even if it is white space. */
  takeRaw(): number {
    return this.#codes[this.at++] ?? END
  }

  peekRaw(): number {
    return this.#codes[this.at] ?? END
  }

  accept(text: string): boolean {
    if (!this.seesText(text)) return false
    this.at += text.length
    return true
  }

  fail(what: string): never {
    throw PatternError.syntax(what, Math.min(this.at, this.#codes.length))
  }

  #skip(): void {
    if (!this.comments) return
    while (this.at < this.#codes.length && !this.#quoted[this.at]) {
      const c = this.#codes[this.at]!
      if (c === 0x20 || (c >= 9 && c <= 13)) this.at++
      else if (c === 0x23) {
        while (this.at < this.#codes.length && !isLineEnd(this.#codes[this.at]!)) this.at++
      } else return
    }
  }
}

const isLineEnd = (c: number): boolean => c === 10 || c === 13 || c === 0x85 || c === 0x2028 || c === 0x2029
