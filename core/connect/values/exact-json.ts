import { double } from '../java-numbers.ts'

/** Converts the text of a number to its value. */
export type NumberOf = (text: string, integer: boolean) => unknown

/** The maximum depth of JSON, which is also the limit of Connect's JSON parser. */
const MAX_DEPTH = 1000
/** The maximum length of a number, which is also the limit of Connect's JSON parser. */
const MAX_NUMBER = 1000

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30

const isDigit = (c: number): boolean => c >= ZERO && c <= 0x39

/** The maximum number of digits of integers that are exact as JavaScript numbers. */
const SAFE_DIGITS = 15

const NO_DIGIT = /^-?[0.]+(?:[eE]|$)/

/**
 * Returns a number as a Java Long or Double. Integers beyond 2^53 become a bigint, and doubles with
 * a whole-number value become a `Double`.
 */
export function connectNumber(text: string, integer: boolean): unknown {
  const n = Number(text)
  // Java reads the number as a decimal, which has no negative zero.
  if (!integer) return double(n === 0 && NO_DIGIT.test(text) ? 0 : n)
  return Number.isSafeInteger(n) ? n + 0 : BigInt(text)
}

/**
 * Parses JSON and keeps numbers exact, at a third of the speed of JSON.parse. Accepts numbers with
 * leading zeros, as Connect's parser does. Throws a SyntaxError.
 */
export function parseExactJson(text: string, numberOf: NumberOf = connectNumber): unknown {
  return new Parser(text, numberOf).whole()
}

class Parser {
  readonly #text: string
  readonly #numberOf: NumberOf
  #at = 0

  constructor(text: string, numberOf: NumberOf) {
    this.#text = text
    this.#numberOf = numberOf
  }

  whole(): unknown {
    const value = this.#value(this.#skip(), 0)
    if (!Number.isNaN(this.#skip())) throw this.#unexpected()
    return value
  }

  /**
   * Moves `#at` to the next character that is not white space and returns it. Returns NaN at the
   * end.
   */
  #skip(): number {
    for (;;) {
      const c = this.#text.charCodeAt(this.#at)
      if (c > 0x20 || (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09)) return c
      this.#at++
    }
  }

  #value(c: number, depth: number): unknown {
    if (c === QUOTE) return this.#string()
    if (isDigit(c) || c === MINUS) return this.#number(c)
    if (depth > MAX_DEPTH) throw new SyntaxError(`JSON is nested more than ${MAX_DEPTH} levels deep`)
    if (c === OPEN_OBJECT) return this.#object(depth + 1)
    if (c === OPEN_LIST) return this.#list(depth + 1)
    if (this.#word('null')) return null
    if (this.#word('true')) return true
    if (this.#word('false')) return false
    throw this.#unexpected()
  }

  #object(depth: number): Record<string, unknown> {
    const out: Record<string, unknown> = {}
    this.#at++
    if (this.#skip() === CLOSE_OBJECT) {
      this.#at++
      return out
    }
    for (;;) {
      if (this.#skip() !== QUOTE) throw this.#unexpected()
      const name = this.#string()
      if (this.#skip() !== COLON) throw this.#unexpected()
      this.#at++
      const value = this.#value(this.#skip(), depth)
      if (name === '__proto__')
        Object.defineProperty(out, name, { value, enumerable: true, writable: true, configurable: true })
      else out[name] = value
      const c = this.#skip()
      this.#at++
      if (c === CLOSE_OBJECT) return out
      if (c !== COMMA) throw this.#unexpected(this.#at - 1)
    }
  }

  #list(depth: number): unknown[] {
    const out: unknown[] = []
    this.#at++
    if (this.#skip() === CLOSE_LIST) {
      this.#at++
      return out
    }
    for (;;) {
      out.push(this.#value(this.#skip(), depth))
      const c = this.#skip()
      this.#at++
      if (c === CLOSE_LIST) return out
      if (c !== COMMA) throw this.#unexpected(this.#at - 1)
    }
  }

  #string(): string {
    const text = this.#text
    const start = this.#at + 1
    for (let i = start; ; i++) {
      const c = text.charCodeAt(i)
      if (c === QUOTE) {
        this.#at = i + 1
        return text.slice(start, i)
      }
      // At the end of the text, `c` is NaN, for which `>=` is false too.
      if (!(c >= 0x20) || c === BACKSLASH) return this.#escaped(start)
    }
  }

  #escaped(start: number): string {
    const text = this.#text
    for (let i = start; i < text.length; i++) {
      const c = text.charCodeAt(i)
      if (c === BACKSLASH) i++
      else if (c === QUOTE) {
        this.#at = i + 1
        return JSON.parse(text.slice(start - 1, i + 1)) as string
      }
    }
    throw this.#unexpected(text.length)
  }

  #number(first: number): unknown {
    const text = this.#text
    const start = this.#at
    let i = first === MINUS ? start + 1 : start
    const digits = i
    let n = 0
    let c = text.charCodeAt(i)
    for (; isDigit(c); c = text.charCodeAt(++i)) n = n * 10 + c - ZERO
    if (i === digits) throw this.#unexpected(i)
    const exponent = (c | 0x20) === 0x65
    if (i - start > MAX_NUMBER) throw this.#tooLong(start)
    if (c !== DOT && !exponent) {
      this.#at = i
      if (i - digits <= SAFE_DIGITS && this.#numberOf === connectNumber) return first === MINUS ? 0 - n : n
      return this.#numberOf(text.slice(start, i), true)
    }
    if (c === DOT) i = this.#digits(i + 1)
    if ((text.charCodeAt(i) | 0x20) === 0x65) {
      const sign = text[i + 1]
      i = this.#digits(sign === '-' || sign === '+' ? i + 2 : i + 1)
    }
    if (i - start > MAX_NUMBER) throw this.#tooLong(start)
    this.#at = i
    return this.#numberOf(text.slice(start, i), false)
  }

  /** Returns the position after the digits that begin here. Throws if there are no digits. */
  #digits(from: number): number {
    let i = from
    while (isDigit(this.#text.charCodeAt(i))) i++
    if (i === from) throw this.#unexpected(i)
    return i
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false
    this.#at += word.length
    return true
  }

  #tooLong(at: number): SyntaxError {
    return new SyntaxError(`The number at position ${at} of the JSON has more than ${MAX_NUMBER} characters`)
  }

  #unexpected(at = this.#at): SyntaxError {
    if (at >= this.#text.length) return new SyntaxError('Unexpected end of JSON input')
    return new SyntaxError(`Unexpected character ${JSON.stringify(this.#text[at])} in JSON at position ${at}`)
  }
}
