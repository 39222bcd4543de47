import { inspect } from 'node:util'

/** The placeholders of a message: `'slot {slot} is held by pid {pid}'` gives `'slot' | 'pid'`. */
type Params<M extends string> = M extends `${string}{${infer P}}${infer Rest}` ? P | Params<Rest> : never

/** A row of an error table. */
export interface ErrorRow {
  /** What failed, with `{name}` placeholders. It must not contain secrets. */
  readonly message: string
  /** What to do, in full sentences. It can contain the placeholders of the message. */
  readonly fix: string
  /** Whether the same call may succeed later, as Kafka defines "retriable". Default: false. */
  readonly retriable?: boolean
}

/**
 * An error with a stable code from an error table. The message says what failed and what to do, and
 * contains the code. Check `code` and not the class, because a plugin may use its own copy of this
 * module.
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

/** A table of errors by code. The compiler checks the placeholders that are passed to `create`. */
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
 * Declares the errors of a module. Codes have the form `MR_<MODULE>_<WHAT>`. They are unique, and
 * do not change once released. `docs/errors.md` is generated from all tables.
 */
export function defineErrors<const T extends Record<string, ErrorRow>>(rows: T): ErrorTable<T> {
  for (const [code, row] of Object.entries(rows)) {
    if (!/^MR_[A-Z0-9_]+$/.test(code)) throw new TypeError(`error code ${code} must look like MR_MODULE_WHAT`)
    tables.set(code, row)
  }
  return {
    rows,
    create: (code, params, options) => new MillraceError(code, rows[code]!, params, options),
  }
}

/**
 * Returns the declared errors of all loaded modules, by code. `docs/errors.md` is generated from
 * them.
 */
export function declaredErrors(): ReadonlyMap<string, ErrorRow> {
  return tables
}

/** Whether an error is marked as retriable. */
export function isRetriable(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'retriable' in error && error.retriable === true
}

/**
 * Returns the message of anything that was thrown. The message is never empty. This function never
 * throws.
 */
export function messageOf(error: unknown): string {
  try {
    if (error instanceof AggregateError && error.errors.length > 0 && !error.message)
      return error.errors.map(messageOf).join('; ')
    if (error instanceof Error) return error.message || error.name
    return typeof error === 'object' && error !== null ? messageOfObject(error) : textOfPrimitive(error)
  } catch {
    return 'a value was thrown that cannot be converted to text'
  }
}

/** The maximum length of the text of an object that was thrown. */
const MAX_SHOWN = 300

/** Errors of another realm, such as node:vm, are not instances of this realm's Error. */
function messageOfObject(thrown: object): string {
  if ('message' in thrown && typeof thrown.message === 'string' && thrown.message !== '') return thrown.message
  const text = inspect(thrown, { depth: 2, breakLength: Number.POSITIVE_INFINITY }).slice(0, MAX_SHOWN)
  return `an object was thrown that is not an Error: ${text}`
}

function textOfPrimitive(thrown: unknown): string {
  return thrown === undefined || thrown === null
    ? `${thrown} was thrown`
    : String(thrown) || 'an empty string was thrown'
}
