/** The error for a Java pattern that is invalid, or that JavaScript cannot express. */
export class PatternError extends Error {
  /** Whether the pattern is invalid in Java too. */
  readonly isSyntax: boolean

  private constructor(message: string, isSyntax: boolean) {
    super(message)
    this.name = 'PatternError'
    this.isSyntax = isSyntax
  }

  /**
   * Returns the error for a pattern that is invalid in Java, in the words of Java's
   * PatternSyntaxException.
   */
  static syntax(what: string, at: number): PatternError {
    return new PatternError(`${what} near index ${at}`, true)
  }

  /**
   * Returns the error for a pattern that is valid in Java, but that a JavaScript RegExp cannot
   * express.
   */
  static unsupported(what: string): PatternError {
    return new PatternError(`${what} is not supported: rewrite the pattern without it`, false)
  }

  /** Returns the error for a pattern that V8 does not compile, with V8's reason. */
  static tooLarge(reason: string): PatternError {
    return new PatternError(`JavaScript cannot compile the pattern (${reason}): shorten the pattern`, false)
  }
}
