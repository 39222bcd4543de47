import { inspect } from 'node:util'

/** What a secret shows of itself wherever it is printed. As in Kafka. */
export const HIDDEN = '[hidden]'

/** A configuration value of type PASSWORD. Prints, inspects and serialises as `[hidden]`; only `value` holds the text. */
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

/** A text with the passwords of URLs in it hidden: `http://user:pw@host` shows as `http://user:[hidden]@host`. */
export function hideInUrls(text: string): string {
  return text.replace(/(:\/\/[^/?#@\s:,]*):[^/?#@\s,]+@/g, `$1:${HIDDEN}@`)
}
