/** A Java pattern that is wrong, or that JavaScript cannot express. */
export class PatternError extends Error {
  /** False where the pattern is correct Java. */
  readonly isSyntax: boolean

  private constructor(message: string, isSyntax: boolean) {
    super(message)
    this.name = 'PatternError'
    this.isSyntax = isSyntax
  }

  /** The pattern is no Java pattern: in the words of Java's PatternSyntaxException. */
  static syntax(what: string, at: number): PatternError {
    return new PatternError(`${what} near index ${at}`, true)
  }

  /** The pattern is correct Java, but a JavaScript RegExp has no equivalent. */
  static unsupported(what: string): PatternError {
    return new PatternError(`${what} is not supported: rewrite the pattern without it`, false)
  }
}
