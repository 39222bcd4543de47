import { complement } from './char-sets.ts'
import type { Flags } from './flags.ts'
import { PatternError } from './pattern-error.ts'

const PUNCT = '!-\\/\\:-@\\[-`\\{-~'

/** The POSIX classes. Each has its ASCII set, and its Unicode set for `(?U)`. */
const POSIX: Readonly<Record<string, readonly [ascii: string, unicode: string]>> = {
  Lower: ['a-z', '\\p{Lowercase}'],
  Upper: ['A-Z', '\\p{Uppercase}'],
  Alpha: ['a-zA-Z', '\\p{Alphabetic}'],
  Digit: ['0-9', '\\p{Nd}'],
  Alnum: ['a-zA-Z0-9', '\\p{Alphabetic}\\p{Nd}'],
  Punct: [PUNCT, '\\p{P}'],
  Graph: ['!-~', '[^\\p{White_Space}\\p{Cc}\\p{Cs}\\p{Cn}]'],
  Print: ['\\u{20}-~', '[[^\\p{White_Space}\\p{Cc}\\p{Cs}\\p{Cn}]\\p{Zs}]'],
  Blank: [' \\t', '\\p{Zs}\\t'],
  Cntrl: ['\\u{0}-\\u{1f}\\u{7f}', '\\p{Cc}'],
  XDigit: ['0-9a-fA-F', '\\p{Nd}\\p{Hex_Digit}'],
  Space: [' \\t\\n\\u{b}\\f\\r', '\\p{White_Space}'],
  ASCII: ['\\u{0}-\\u{7f}', '\\u{0}-\\u{7f}'],
}

/** The methods of java.lang.Character, used as `\p{javaLowerCase}`. */
const JAVA: Readonly<Record<string, string>> = {
  LowerCase: '\\p{Lowercase}',
  UpperCase: '\\p{Uppercase}',
  Alphabetic: '\\p{Alphabetic}',
  Ideographic: '\\p{Ideographic}',
  TitleCase: '\\p{Lt}',
  Digit: '\\p{Nd}',
  Defined: '\\P{Cn}',
  Letter: '\\p{L}',
  LetterOrDigit: '\\p{L}\\p{Nd}',
  SpaceChar: '\\p{Z}',
  Whitespace: '[\\p{Z}--[\\u{a0}\\u{2007}\\u{202f}]]\\t-\\r\\u{1c}-\\u{1f}',
  ISOControl: '\\u{0}-\\u{1f}\\u{7f}-\\u{9f}',
  Mirrored: '\\p{Bidi_Mirrored}',
  UnicodeIdentifierStart: '\\p{ID_Start}',
  JavaIdentifierStart: '\\p{L}\\p{Nl}\\p{Sc}\\p{Pc}',
}

/** The binary Unicode properties that Java supports, by their upper-case names. */
const BINARY: Readonly<Record<string, string>> = {
  ALPHABETIC: '\\p{Alphabetic}',
  LETTER: '\\p{L}',
  IDEOGRAPHIC: '\\p{Ideographic}',
  LOWERCASE: '\\p{Lowercase}',
  UPPERCASE: '\\p{Uppercase}',
  TITLECASE: '\\p{Lt}',
  WHITE_SPACE: '\\p{White_Space}',
  WHITESPACE: '\\p{White_Space}',
  CONTROL: '\\p{Cc}',
  PUNCTUATION: '\\p{P}',
  HEX_DIGIT: '\\p{Nd}\\p{Hex_Digit}',
  HEXDIGIT: '\\p{Nd}\\p{Hex_Digit}',
  ASSIGNED: '\\P{Cn}',
  NONCHARACTER_CODE_POINT: '\\p{Noncharacter_Code_Point}',
  DIGIT: '\\p{Nd}',
  ALNUM: '\\p{Alphabetic}\\p{Nd}',
  JOIN_CONTROL: '\\p{Join_Control}',
  JOINCONTROL: '\\p{Join_Control}',
}

const CASED = new Set(['Lower', 'Upper', 'javaLowerCase', 'javaUpperCase', 'javaTitleCase', 'Lu', 'Ll', 'Lt'])
const CASED_BINARY = new Set(['LOWERCASE', 'UPPERCASE', 'TITLECASE'])
const ANY_CASE = '\\p{Lu}\\p{Ll}\\p{Lt}'

/** Returns the set of `\p{name}`, or of `\P{name}` if negated. Throws a PatternError. */
export function propertySet(name: string, negated: boolean, flags: Flags, at: number): string {
  const set = `[${positive(name, flags, at)}]`
  return negated ? complement(set) : set
}

function positive(name: string, flags: Flags, at: number): string {
  const equals = name.indexOf('=')
  if (equals >= 0) return byKey(name.slice(0, equals).toLowerCase(), name.slice(equals + 1), flags, at)
  if (name.startsWith('In')) throw PatternError.unsupported(`the Unicode block \\p{${name}}`)
  if (name.startsWith('Is')) return isProperty(name, flags, at)
  const [posixName, posix] = posixClass(name, flags)
  if (posix) {
    if (flags.ignoreCase && CASED.has(posixName)) return flags.unicodeClasses ? anyCaseLetters() : 'a-zA-Z'
    return posix[flags.unicodeClasses ? 1 : 0]
  }
  if (name.startsWith('java')) return javaProperty(name, flags, at)
  return category(name, flags) ?? unknown(name, at)
}

/** Returns the POSIX class with this name. With `(?U)`, the case of the name is ignored. */
function posixClass(name: string, flags: Flags): [string, readonly [string, string] | undefined] {
  const own = flags.unicodeClasses
    ? (Object.keys(POSIX).find(n => n.toUpperCase() === name.toUpperCase() && n !== 'ASCII') ?? name)
    : name
  return [own, Object.hasOwn(POSIX, own) ? POSIX[own] : undefined]
}

function isProperty(name: string, flags: Flags, at: number): string {
  const rest = name.slice(2)
  const binary = BINARY[rest.toUpperCase()]
  if (binary) return flags.ignoreCase && CASED_BINARY.has(rest.toUpperCase()) ? anyCaseLetters() : binary
  return category(rest, flags) ?? script(rest) ?? unknown(name, at)
}

function javaProperty(name: string, flags: Flags, at: number): string {
  const set = JAVA[name.slice(4)]
  if (set === undefined) {
    if (/^java(JavaIdentifierPart|UnicodeIdentifierPart|IdentifierIgnorable)$/.test(name))
      throw PatternError.unsupported(`\\p{${name}}`)
    return unknown(name, at)
  }
  return flags.ignoreCase && CASED.has(name) ? anyCaseLetters() : set
}

const anyCaseLetters = (): string => `\\p{Lowercase}\\p{Uppercase}\\p{Lt}`

function byKey(key: string, value: string, flags: Flags, at: number): string {
  switch (key) {
    case 'sc':
    case 'script':
      return script(value) ?? unknown(value, at, 'script')
    case 'gc':
    case 'general_category':
      return category(value, flags) ?? unknown(`${key}=${value}`, at)
    case 'blk':
    case 'block':
      throw PatternError.unsupported(`the Unicode block ${value}`)
    default:
      return unknown(`${key}=${value}`, at)
  }
}

function category(name: string, flags: Flags): string | null {
  if (flags.ignoreCase && CASED.has(name)) return ANY_CASE
  switch (name) {
    case 'all':
      return '\\u{0}-\\u{10ffff}'
    case 'L1':
      return '\\u{0}-\\u{ff}'
    case 'LD':
      return '\\p{L}\\p{Nd}'
    default:
      return /^(?:L[Clmotu]?|M[nec]?|N[dlo]?|Z[slp]?|C[cfosn]?|P[dsecifo]?|S[mcko]?)$/.test(name)
        ? `\\p{${name}}`
        : null
  }
}

function script(name: string): string | null {
  const words = name.toLowerCase().split('_')
  const title = words.map(w => w.slice(0, 1).toUpperCase() + w.slice(1)).join('_')
  try {
    new RegExp(`\\p{Script=${title}}`, 'v')
    return `\\p{Script=${title}}`
  } catch {
    return null
  }
}

function unknown(name: string, at: number, kind = 'character property'): never {
  throw PatternError.syntax(`Unknown ${kind} name {${name}}`, at)
}
