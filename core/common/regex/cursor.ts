import { PatternError } from './pattern-error.ts'

export const END = -1

/** A pattern as code points, the ones between `\Q` and `\E` marked as quoted. */
export class Cursor {
  readonly #codes: number[] = []
  readonly #quoted: boolean[] = []
  at = 0
  /** Whether white space and comments are skipped: the flag `x`. */
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

  /** The next code point without taking it; END at the end. */
  peek(): number {
    this.#skip()
    return this.#codes[this.at] ?? END
  }

  /** Whether the next is this character, and no quoted one. */
  sees(character: string): boolean {
    return this.peek() === character.codePointAt(0) && !this.isQuoted
  }

  /** Whether these ASCII characters follow, with nothing skipped between them. */
  seesText(text: string): boolean {
    this.#skip()
    return [...text].every((c, i) => this.#codes[this.at + i] === c.charCodeAt(0) && !this.#quoted[this.at + i])
  }

  /** The code point after the next one, nothing skipped between. */
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

  /** Takes the next code point whatever it is: also white space. */
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
