import { inspect } from 'node:util'

/** The text that is printed instead of a secret, as in Kafka. */
export const HIDDEN = '[hidden]'

/** A value of type PASSWORD. It prints and serializes as `[hidden]`. `value` is the secret. */
export class Password {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  get value(): string {
    return this.#value
  }

  toString(): string {
    return HIDDEN
  }

  toJSON(): string {
    return HIDDEN
  }

  [inspect.custom](): string {
    return HIDDEN
  }
}

/**
 * A password between the user and the host of a URL. It may contain characters that should be
 * escaped, such as `@` and `/`. A port is not a password.
 */
const USER_INFO = /(:\/\/[^/?#@\s:,"'<>]*):(?!\d{1,5}(?:[/?#,\s]|$))((?:(?!:\/\/)[^\s"'<>])+)@/g
/** A secret in the parameters of a URL, such as `?user=x&password=y` in a JDBC URL. */
const PARAMETER = /([?&;][\w.-]*(?:password|passwd|pwd|passphrase|secret|token|api_?key)=)([^&;#\s"'<>]+)/gi

/**
 * Hides the passwords in URLs: `http://user:pw@host` becomes `http://user:[hidden]@host`, and
 * `jdbc:x://host/db?password=pw` becomes `jdbc:x://host/db?password=[hidden]`.
 */
export function hideInUrls(text: string): string {
  return text.replace(USER_INFO, `$1:${HIDDEN}@`).replace(PARAMETER, `$1${HIDDEN}`)
}

/** A user and a password before a host, in a URL whose scheme is missing or misspelled. */
const NO_SCHEME = /(^|[[/])([^\s:/@,'"[\]]+):([^\s@,/'"][^\s@,'"]*)@/g
/**
 * A word up to its last `@`. NO_SCHEME is applied only to these parts: in a long word without `@`,
 * the time for the search would grow with the square of the length.
 */
const WORD_WITH_AT = /(?<![^\s,'"])[^\s,'"]+@/g

/**
 * Hides the passwords in the value of a key, which may be an invalid URL: `user:pw@host` becomes
 * `user:[hidden]@host`. Other texts, such as stack traces, can contain `:` and `@` without a
 * password.
 */
export function hideInValue(text: string): string {
  return hideInUrls(text).replace(WORD_WITH_AT, word => word.replace(NO_SCHEME, `$1$2:${HIDDEN}@`))
}

/**
 * Returns the passwords of the URLs in a text. Each password is returned as it is written and, if
 * possible, also percent-decoded.
 */
export function passwordsInUrls(text: string): string[] {
  const found = [...text.matchAll(USER_INFO), ...text.matchAll(PARAMETER)].map(match => match[2]!)
  return found.flatMap(secret => {
    try {
      return [secret, decodeURIComponent(secret)]
    } catch {
      return [secret]
    }
  })
}

/** Returns whether a URL in the text contains the mask of `hideInUrls` instead of a password. */
export function hasHiddenInUrls(text: string): boolean {
  return text.includes(`:${HIDDEN}@`) || passwordsInUrls(text).includes(HIDDEN)
}
