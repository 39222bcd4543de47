/** Names between braces in a message template: `'slot {slot} is held by pid {pid}'` gives `'slot' | 'pid'`. */
type Params<M extends string> = M extends `${string}{${infer P}}${infer Rest}` ? P | Params<Rest> : never

/** One row of an error table: what failed, what to do about it, and whether trying again can help. */
export interface ErrorRow {
  /** What failed, with `{name}` placeholders for the particulars. Never put a secret in it. */
  readonly message: string
  /** What the reader can do. A full sentence; placeholders are filled in here too. */
  readonly fix: string
  /** Kafka's "retriable": the same call may succeed later. Default false. */
  readonly retriable?: boolean
}

/**
 * An error with a stable code from one of the error tables. `message` is complete for a log line or a REST answer:
 * what failed, then what to do, then the code. Tell it from others by `code`, never by class, since a plugin may carry
 * its own copy of this module.
 */
export class MillraceError extends Error {
  readonly code: string
  readonly fix: string
  readonly retriable: boolean
  readonly params: Readonly<Record<string, string>>

  constructor(code: string, row: ErrorRow, params: Record<string, unknown>, options?: ErrorOptions) {
    const shown: Record<string, string> = {}
    for (const [name, value] of Object.entries(params)) shown[name] = String(value)
    const fill = (text: string) => text.replace(/\{(\w+)\}/g, (whole, name: string) => shown[name] ?? whole)
    const fix = fill(row.fix)
    super(`${fill(row.message)}. ${fix} [${code}]`, options)
    this.name = 'MillraceError'
    this.code = code
    this.fix = fix
    this.retriable = row.retriable ?? false
    this.params = shown
  }
}

/** A table of errors by code; `create` makes one, with the placeholders of its message checked by the compiler. */
export interface ErrorTable<T extends Record<string, ErrorRow>> {
  readonly rows: T
  create<C extends keyof T & string>(
    code: C,
    params: Record<Params<T[C]['message']>, unknown> & Readonly<Record<string, unknown>>,
    options?: ErrorOptions,
  ): MillraceError
}

const tables = new Map<string, ErrorRow>()

/**
 * Declares the errors of a room. Codes are `MR_<ROOM>_<WHAT>`, stable once released, and unique in the program.
 * `docs/errors.md` is generated from all tables.
 */
export function defineErrors<const T extends Record<string, ErrorRow>>(rows: T): ErrorTable<T> {
  for (const [code, row] of Object.entries(rows)) {
    if (!/^MR_[A-Z0-9_]+$/.test(code)) throw new TypeError(`error code ${code} must look like MR_ROOM_WHAT`)
    tables.set(code, row)
  }
  return {
    rows,
    create: (code, params, options) => new MillraceError(code, rows[code]!, params, options),
  }
}

/** Every declared error of the modules loaded so far, by code: the source of `docs/errors.md`. */
export function declaredErrors(): ReadonlyMap<string, ErrorRow> {
  return tables
}

/** Whether an error of any origin says that trying again can help. */
export function isRetriable(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'retriable' in error && error.retriable === true
}

/** The message of anything that was thrown, never empty. Never throws itself, whatever a plugin threw. */
export function messageOf(error: unknown): string {
  try {
    if (error instanceof AggregateError && error.errors.length > 0 && !error.message)
      return error.errors.map(messageOf).join('; ')
    return (error instanceof Error ? error.message || error.name : String(error)) || 'an empty text was thrown'
  } catch {
    return 'something was thrown that cannot be turned into text'
  }
}
