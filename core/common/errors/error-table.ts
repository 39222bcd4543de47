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

const tables = new Map<string, ErrorRow>()

/**
 * An error with a stable code from an error table. The message says what failed and what to do, and
 * ends with the code. Check `code` and not the class, because a plugin may use its own copy of this
 * module.
 */
export class MillraceError extends Error {
  readonly code: string
  /** What failed: the message without the remedy and the code. */
  readonly summary: string
  /** What to do. The remedies of causes that the message contains come first. */
  readonly fix: string
  readonly retriable: boolean
  readonly params: Readonly<Record<string, string>>

  constructor(code: string, row: ErrorRow, params: Record<string, unknown>, options?: ErrorOptions) {
    const shown: Record<string, string> = {}
    const nested: Remedy[] = []
    for (const [name, value] of Object.entries(params))
      shown[name] = takeRemedies(String(value), options?.cause, nested)
    const fill = (text: string) => text.replace(/\{(\w+)\}/g, (whole, name: string) => shown[name] ?? whole)
    const summary = fill(row.message).replace(/\.$/, '')
    const fixes = [...nested.map(n => n.fix), fill(row.fix)]
    const fix = fixes.filter((text, i) => fixes.indexOf(text) === i).join(' ')
    const codes = [...new Set([...nested.flatMap(n => n.codes), code])]
    super(`${summary}. ${fix} ${codes.map(c => `[${c}]`).join(' ')}`, options)
    this.name = 'MillraceError'
    this.code = code
    this.summary = summary
    this.fix = fix
    this.retriable = row.retriable ?? false
    this.params = shown
  }
}

/** The remedy and the codes at the end of an error message. */
interface Remedy {
  readonly fix: string
  readonly codes: readonly string[]
}

/** The maximum number of causes to examine. A chain of causes may be long or circular. */
const MAX_CAUSES = 8

/**
 * Removes the remedies and codes of causes from a parameter of a message, and adds them to `found`.
 * The caller appends them to the message. So the message first says everything that failed, and
 * ends with everything to do.
 */
function takeRemedies(text: string, cause: unknown, found: Remedy[]): string {
  let rest = text
  let error = cause instanceof Error ? cause : null
  for (let depth = 0; error && depth < MAX_CAUSES; depth++, error = causeOf(error)) {
    if (!isRemedied(error) || !rest.includes(error.message)) continue
    const { message, summary, fix } = error
    rest = rest.replace(message, () => summary)
    found.push({ fix, codes: codesIn(message.slice(summary.length)) })
  }
  // A failure of another thread has only a message, and no error object.
  const [, before, end = ''] = /^([\s\S]*?)((?: \[MR_[A-Z0-9_]+\])+)$/.exec(rest) ?? []
  const codes = codesIn(end)
  const row = tables.get(codes.at(-1) ?? '')
  if (before === undefined || !row) return rest
  const literal = (part: string) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  const pattern = row.fix
    .split(/\{\w+\}/)
    .map(literal)
    .join('[\\s\\S]*?')
  const [last, fix] = new RegExp(`\\. (${pattern})$`).exec(before) ?? []
  if (last === undefined || fix === undefined) return rest
  found.push({ fix, codes })
  return before.slice(0, -last.length)
}

const causeOf = ({ cause }: Error): Error | null => (cause instanceof Error ? cause : null)

const codesIn = (text: string): string[] => [...text.matchAll(/\[(MR_[A-Z0-9_]+)\]/g)].map(match => match[1]!)

/**
 * Whether an error has the properties of a MillraceError. `instanceof` is not enough, because the
 * error's class may come from another copy of this module.
 */
function isRemedied(error: Error): error is Error & Pick<MillraceError, 'code' | 'fix' | 'summary'> {
  const { code, fix, summary } = error as Partial<MillraceError>
  return typeof code === 'string' && typeof fix === 'string' && typeof summary === 'string'
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
