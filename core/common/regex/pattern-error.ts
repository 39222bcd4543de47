/** The error for a Java pattern that is invalid, or that JavaScript cannot express. */
export class PatternError extends Error {
  /** Whether the pattern is invalid in Java too. */
  readonly isSyntax: boolean

  private constructor(message: string, isSyntax: boolean) {
    super(message)
    this.name = 'PatternError'
    this.isSyntax = isSyntax
  }

  /** The pattern is invalid in Java: the wording of Java's PatternSyntaxException. */
  static syntax(what: string, at: number): PatternError {
    return new PatternError(`${what} near index ${at}`, true)
  }

  /** The pattern is valid in Java, but a JavaScript RegExp has no equivalent. */
  static unsupported(what: string): PatternError {
    return new PatternError(`${what} is not supported: rewrite the pattern without it`, false)
  }
}
