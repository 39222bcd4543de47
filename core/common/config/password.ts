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

/** Hides the passwords in URLs: `http://user:pw@host` becomes `http://user:[hidden]@host`. */
export function hideInUrls(text: string): string {
  return text.replace(/(:\/\/[^/?#@\s:,]*):[^/?#@\s,]+@/g, `$1:${HIDDEN}@`)
}
