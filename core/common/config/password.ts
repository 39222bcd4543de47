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
