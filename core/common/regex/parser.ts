import { EMPTY, type Node, widthOf } from './ast.ts'
import { LINE_ENDS, rangeSet } from './char-sets.ts'
import { characterClass, escapedSet } from './character-class.ts'
import { Cursor, END } from './cursor.ts'
import { escapedCode } from './escapes.ts'
import { changeOf, type Flags } from './flags.ts'
import { PatternError } from './pattern-error.ts'

/** The maximum nesting of groups. */
const MAX_DEPTH = 250
/**
 * The maximum number of capturing groups. With many more groups and alternatives, V8 takes seconds
 * to compile the pattern. With about 30,000 it takes minutes.
 */
const MAX_GROUPS = 2000
const MAX_COUNT = 2 ** 31 - 1

export interface Parsed {
  readonly root: Node
  readonly groups: number
  /** The numbers of the named groups. */
  readonly names: ReadonlyMap<string, number>
}

/** Parses a pattern of java.util.regex. Throws PatternError. */
export function parsePattern(pattern: string, flags: Flags): Parsed {
  const parser = new Parser(pattern, flags)
  return parser.parse()
}

class Parser {
  readonly #cursor: Cursor
  #flags: Flags
  #groups = 0
  #depth = 0
  readonly #names = new Map<string, number>()

  constructor(pattern: string, flags: Flags) {
    this.#cursor = new Cursor(pattern)
    this.#flags = flags
    this.#cursor.comments = flags.comments
  }

  parse(): Parsed {
    const root = this.#alternatives()
    if (!this.#cursor.ended)
      this.#cursor.fail(this.#cursor.sees(')') ? "Unmatched closing ')'" : 'Unexpected internal error')
    return { root, groups: this.#groups, names: this.#names }
  }

  #setFlags(flags: Flags): void {
    this.#flags = flags
    this.#cursor.comments = flags.comments
  }

  #alternatives(): Node {
    const items = [this.#sequence()]
    while (this.#cursor.accept('|')) items.push(this.#sequence())
    return items.length === 1 ? items[0]! : { kind: 'alternatives', items }
  }

  #sequence(): Node {
    const items: Node[] = []
    while (!this.#cursor.ended && !this.#cursor.sees('|') && !this.#cursor.sees(')')) {
      const atom = this.#atom()
      if (atom) items.push(this.#repeated(atom))
    }
    return items.length === 1 ? items[0]! : { kind: 'sequence', items }
  }

  /** Parses one element. Returns null for inline flags, which match nothing. */
  #atom(): Node | null {
    const cursor = this.#cursor
    if (cursor.isQuoted) return this.#character(cursor.take())
    switch (cursor.peek()) {
      case 0x28: // (
        return this.#group()
      case 0x5b: // [
        cursor.take()
        return { kind: 'set', source: characterClass(cursor, this.#flags) }
      case 0x5c: // \
        cursor.take()
        return this.#escape()
      case 0x2e: // .
        cursor.take()
        return { kind: 'set', source: this.#dot() }
      case 0x5e: // ^
        cursor.take()
        return { kind: 'assertion', source: this.#caret() }
      case 0x24: // $
        cursor.take()
        return { kind: 'assertion', source: this.#dollar() }
      case 0x2a: // * + ?
      case 0x2b:
      case 0x3f:
        return cursor.fail(`Dangling meta character '${String.fromCodePoint(cursor.peek())}'`)
      case 0x7b: // {
        return EMPTY
      default:
        return this.#character(cursor.take())
    }
  }

  #character(code: number): Node {
    return { kind: 'set', source: rangeSet(code, code, this.#flags) }
  }

  #dot(): string {
    if (this.#flags.dotAll) return '[^]'
    return this.#flags.unixLines ? '[^\\n]' : `[^${LINE_ENDS}]`
  }

  #caret(): string {
    const { multiline, unixLines } = this.#flags
    if (!multiline) return '^'
    if (unixLines) return '(?:^|(?<=\\n))(?!$)'
    return `(?:^|(?<=[${LINE_ENDS}])(?!(?<=\\r)\\n))(?!$)`
  }

  #dollar(): string {
    const { multiline, unixLines } = this.#flags
    if (unixLines) return multiline ? '(?=\\n|$)' : '(?=\\n?$)'
    const end = multiline ? `[${LINE_ENDS}]|$` : `(?:\\r\\n|[${LINE_ENDS}])?$`
    return `(?=${end})(?!(?<=\\r)\\n)`
  }

  #escape(): Node {
    const cursor = this.#cursor
    const letter = cursor.takeRaw()
    if (letter === END) return cursor.fail('Unexpected internal error')
    const name = String.fromCodePoint(letter)
    if (name >= '1' && name <= '9') return this.#backreference(Number(name))
    switch (name) {
      case 'A':
      case 'G':
        return { kind: 'assertion', source: '^' }
      case 'z':
        return { kind: 'assertion', source: '$' }
      case 'Z':
        return { kind: 'assertion', source: lastLine(this.#flags.unixLines) }
      case 'b':
        if (cursor.accept('{g}')) throw PatternError.unsupported('the boundary of a grapheme cluster (\\b{g})')
        if (cursor.seesText('{')) return cursor.fail('Unsupported boundary type')
        return { kind: 'assertion', source: this.#boundary(false) }
      case 'B':
        return { kind: 'assertion', source: this.#boundary(true) }
      case 'R':
        return LINE_BREAK
      case 'X':
        throw PatternError.unsupported('a grapheme cluster (\\X)')
      case 'k':
        return this.#namedBackreference()
      default: {
        const set = escapedSet(cursor, letter, this.#flags)
        return set === null ? this.#character(escapedCode(cursor, letter)) : { kind: 'set', source: set }
      }
    }
  }

  #boundary(negated: boolean): string {
    const [left, right] = this.#flags.unicodeClasses ? [UNICODE_WORD, UNICODE_WORD] : [WORD_BEFORE, WORD_AFTER]
    return negated
      ? `(?:(?<=${left})(?=${right})|(?<!${left})(?!${right}))`
      : `(?:(?<=${left})(?!${right})|(?<!${left})(?=${right}))`
  }

  #backreference(first: number): Node {
    let group = first
    for (;;) {
      const next = this.#cursor.peek()
      if (next < 0x30 || next > 0x39) break
      const longer = group * 10 + (next - 0x30)
      if (longer > this.#groups) break
      group = longer
      this.#cursor.take()
    }
    return { kind: 'backreference', group, ignoreCase: this.#flags.ignoreCase }
  }

  #namedBackreference(): Node {
    if (this.#cursor.takeRaw() !== 0x3c) this.#cursor.fail("\\k is not followed by '<' for named capturing group")
    const name = this.#name()
    const group = this.#names.get(name)
    if (group === undefined) return this.#cursor.fail(`named capturing group <${name}> does not exist`)
    return { kind: 'backreference', group, ignoreCase: this.#flags.ignoreCase }
  }

  #name(): string {
    let name = ''
    for (;;) {
      const code = this.#cursor.takeRaw()
      if (code === 0x3e && name !== '') return name
      const c = code === END ? '' : String.fromCodePoint(code)
      if (name === '' && !/^[a-zA-Z]$/.test(c))
        this.#cursor.fail('capturing group name does not start with a Latin letter')
      if (!/^[a-zA-Z0-9]$/.test(c)) this.#cursor.fail("named capturing group is missing trailing '>'")
      name += c
    }
  }

  #group(): Node | null {
    const cursor = this.#cursor
    cursor.take()
    if (!cursor.seesText('?')) return this.#capturing(null)
    cursor.take()
    const letter = cursor.takeRaw()
    switch (letter === END ? '' : String.fromCodePoint(letter)) {
      case ':':
        return this.#enclosed()
      case '=':
        return this.#look(true, false)
      case '!':
        return this.#look(true, true)
      case '>':
        return { kind: 'atomic', body: this.#enclosed() }
      case '<': {
        const next = cursor.peekRaw()
        if (next === 0x3d || next === 0x21) {
          cursor.takeRaw()
          return this.#look(false, next === 0x21)
        }
        const name = this.#name()
        if (this.#names.has(name)) cursor.fail(`Named capturing group <${name}> is already defined`)
        return this.#capturing(name)
      }
      case '$':
      case '@':
        return cursor.fail('Unknown group type')
      default:
        cursor.at--
        return this.#inlineFlags()
    }
  }

  #capturing(name: string | null): Node {
    const index = ++this.#groups
    if (index > MAX_GROUPS) throw PatternError.unsupported(`a pattern with more than ${MAX_GROUPS} capturing groups`)
    if (name !== null) this.#names.set(name, index)
    return { kind: 'group', index, body: this.#enclosed() }
  }

  #look(ahead: boolean, negative: boolean): Node {
    const body = this.#enclosed()
    if (!ahead && widthOf(body).max === Number.POSITIVE_INFINITY)
      this.#cursor.fail('Look-behind group does not have an obvious maximum length')
    return { kind: 'look', ahead, negative, body }
  }

  /**
   * Parses up to and including the closing parenthesis. Flags that are set inside the parentheses
   * do not apply after them.
   */
  #enclosed(flags: Flags = this.#flags): Node {
    if (++this.#depth > MAX_DEPTH) throw PatternError.unsupported(`a pattern with more than ${MAX_DEPTH} nested groups`)
    const outer = this.#flags
    this.#setFlags(flags)
    const body = this.#alternatives()
    if (!this.#cursor.sees(')')) this.#cursor.fail('Unclosed group')
    this.#cursor.take()
    this.#setFlags(outer)
    this.#depth--
    return body
  }

  #inlineFlags(): Node | null {
    const cursor = this.#cursor
    let flags = this.#flags
    let on = true
    for (;;) {
      const code = cursor.takeRaw()
      const letter = code === END ? '' : String.fromCodePoint(code)
      if (letter === ')') {
        this.#setFlags(flags)
        return null
      }
      if (letter === ':') {
        const outer = this.#flags
        const body = this.#enclosed(flags)
        this.#setFlags(outer)
        return body
      }
      if (letter === '-' && on) {
        on = false
        continue
      }
      if (letter === 'c') throw PatternError.unsupported('canonical equivalence (?c)')
      const change = changeOf(letter, on)
      if (!change) {
        cursor.at--
        return cursor.fail('Unknown inline modifier')
      }
      flags = { ...flags, ...change }
    }
  }

  #repeated(atom: Node): Node {
    const cursor = this.#cursor
    if (cursor.isQuoted) return atom
    switch (cursor.peek()) {
      case 0x2a:
        cursor.take()
        return this.#repeat(atom, 0, Number.POSITIVE_INFINITY)
      case 0x2b:
        cursor.take()
        return this.#repeat(atom, 1, Number.POSITIVE_INFINITY)
      case 0x3f:
        cursor.take()
        return this.#repeat(atom, 0, 1)
      case 0x7b:
        return this.#counted(atom)
      default:
        return atom
    }
  }

  #counted(atom: Node): Node {
    const cursor = this.#cursor
    cursor.take()
    if (cursor.peekRaw() < 0x30 || cursor.peekRaw() > 0x39) return cursor.fail('Illegal repetition')
    const min = this.#count() ?? 0
    let max = min
    if (cursor.accept(',')) max = cursor.sees('}') ? Number.POSITIVE_INFINITY : (this.#count() ?? 0)
    if (!cursor.sees('}')) return cursor.fail('Unclosed counted closure')
    if (max < min) return cursor.fail('Illegal repetition range')
    cursor.take()
    return this.#repeat(atom, min, max)
  }

  #count(): number | null {
    let count: number | null = null
    for (let c = this.#cursor.peek(); c >= 0x30 && c <= 0x39; c = this.#cursor.peek()) {
      count = (count ?? 0) * 10 + (c - 0x30)
      if (count > MAX_COUNT) this.#cursor.fail('Illegal repetition range')
      this.#cursor.take()
    }
    return count
  }

  #repeat(atom: Node, min: number, max: number): Node {
    const body: Node = atom === LINE_BREAK ? { kind: 'atomic', body: atom } : atom
    if (this.#cursor.sees('?')) {
      this.#cursor.take()
      return { kind: 'repeat', body, min, max, mode: 'lazy' }
    }
    const greedy: Node = { kind: 'repeat', body, min, max, mode: 'greedy' }
    if (!this.#cursor.sees('+')) return greedy
    this.#cursor.take()
    // Java does not retry an iteration of a possessive repetition, so each iteration is atomic.
    return { kind: 'atomic', body: body.kind === 'set' ? greedy : { ...greedy, body: { kind: 'atomic', body } } }
  }
}

const UNICODE_WORD = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]'
// Up to Java 18, word boundaries use the letters, digits and combining marks of all scripts,
// although \w contains ASCII only.
const LETTER = '[\\p{L}\\p{Nd}]'
const WORD_BEFORE = `(?:[\\p{L}\\p{Nd}_]|${LETTER}\\p{Mn}+)`
const WORD_AFTER = `(?:[\\p{L}\\p{Nd}_]|(?<=${LETTER}\\p{Mn}*)\\p{Mn})`

const LINE_BREAK: Node = {
  kind: 'alternatives',
  items: [
    {
      kind: 'sequence',
      items: [
        { kind: 'set', source: '\\r' },
        { kind: 'set', source: '\\n' },
      ],
    },
    { kind: 'set', source: '[\\n\\u{b}\\f\\r\\u{85}\\u{2028}\\u{2029}]' },
  ],
}

/** Returns `\Z`: the end of the text, or before its last line terminator. */
const lastLine = (unixLines: boolean): string =>
  unixLines ? '(?=\\n?$)' : `(?=(?:\\r\\n|[${LINE_ENDS}])?$)(?!(?<=\\r)\\n)`
