/** The flags of a Java pattern, set by `(?i)` and similar groups. */
export interface Flags {
  readonly ignoreCase: boolean
  readonly unicodeCase: boolean
  readonly unicodeClasses: boolean
  readonly multiline: boolean
  readonly dotAll: boolean
  readonly unixLines: boolean
  readonly comments: boolean
}

export const NO_FLAGS: Flags = {
  ignoreCase: false,
  unicodeCase: false,
  unicodeClasses: false,
  multiline: false,
  dotAll: false,
  unixLines: false,
  comments: false,
}

/** Returns the change that a letter of `(?idmsuxU)` makes, or null for other letters. */
export function changeOf(letter: string, on: boolean): Partial<Flags> | null {
  switch (letter) {
    case 'i':
      return { ignoreCase: on }
    case 'm':
      return { multiline: on }
    case 's':
      return { dotAll: on }
    case 'd':
      return { unixLines: on }
    case 'u':
      return { unicodeCase: on }
    case 'x':
      return { comments: on }
    case 'U':
      return { unicodeClasses: on, unicodeCase: on }
    default:
      return null
  }
}
