import { messageOf } from '../core/common/errors/error-table.ts'
import { errors } from './errors.ts'

/** Something to close at the end; the last one opened is closed first. */
export interface Closable {
  readonly name: string
  close(): Promise<void>
}

/** How long a clean shutdown may take before the process ends all the same. */
const GRACE_MS = 30_000

/**
 * Holds what a command has opened and closes it in reverse order on Ctrl-C, TERM, or when a start fails half way.
 * A second Ctrl-C ends at once.
 */
export class Lifecycle {
  readonly #opened: Closable[] = []
  readonly #stop = Promise.withResolvers<string>()
  #closing: Promise<void> | null = null
  readonly #abort = new AbortController()

  /** Aborted as soon as a stop is asked for. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  add(name: string, close: () => Promise<void>): void {
    this.#opened.push({ name, close })
  }

  /** As `add`, but closed after all the others: what they need until their end. */
  addFirst(name: string, close: () => Promise<void>): void {
    this.#opened.unshift({ name, close })
  }

  /** Resolves with the reason when a stop is asked for. */
  get stopped(): Promise<string> {
    return this.#stop.promise
  }

  /** Asks for a stop. */
  stop(reason: string): void {
    this.#stop.resolve(reason)
    this.#abort.abort(new Error(reason))
  }

  listenToSignals(): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (this.#abort.signal.aborted && signal === 'SIGINT') process.exit(130)
        this.stop(signal)
      })
    }
  }

  /** Closes everything; failures are told, not thrown. Resolves to whether all closed well. */
  async close(report: (text: string) => void): Promise<boolean> {
    let well = true
    this.#closing ??= (async () => {
      const timer = setTimeout(() => {
        report(`not all stopped within ${GRACE_MS / 1000} s; ending all the same`)
        process.exit(1)
      }, GRACE_MS)
      for (const item of this.#opened.splice(0).reverse()) {
        try {
          await item.close()
        } catch (error) {
          well = false
          report(`stopping ${item.name} failed: ${messageOf(error)}`)
        }
      }
      clearTimeout(timer)
    })()
    await this.#closing
    return well
  }
}

/** Runs a command that serves until it is stopped: opens, waits for a signal, closes. Sets the exit code. */
export async function serve(open: (life: Lifecycle) => Promise<void>): Promise<void> {
  const life = new Lifecycle()
  const report = (text: string) => process.stderr.write(`millrace: ${text}\n`)
  life.listenToSignals()
  try {
    await open(life)
    await life.stopped
  } catch (error) {
    if (!life.signal.aborted) {
      report(
        messageOf(
          isDiskFull(error) ? errors.create('MR_CLI_DISK_FULL', { cause: messageOf(error) }, { cause: error }) : error,
        ),
      )
      process.exitCode = 1
    }
  }
  if (!(await life.close(report))) process.exitCode = 1
  process.exit()
}

/** Whether the disk is what it came from, whoever has put it into words of his own meanwhile. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return ('code' in error && error.code === 'ENOSPC') || isDiskFull(error.cause)
}
