import { messageOf } from '../core/common/errors/error-table.ts'
import { errors } from './errors.ts'
import { report } from './report.ts'

/** A resource of a command, which is closed when the command ends. */
export interface Closable {
  readonly name: string
  close(): Promise<void>
}

/** The time limit of a clean shutdown, in milliseconds. After it, the process exits. */
const GRACE_MS = 30_000

/**
 * Closes the resources of a command in reverse order: on Ctrl-C, on SIGTERM, and if the start
 * fails. A second Ctrl-C exits at once.
 */
export class Lifecycle {
  readonly #opened: Closable[] = []
  readonly #stop = Promise.withResolvers<string>()
  #closing: Promise<void> | null = null
  readonly #abort = new AbortController()

  /** Aborts when the command must stop. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  add(name: string, close: () => Promise<void>): void {
    this.#opened.push({ name, close })
  }

  /**
   * Like `add`, but the resource is closed last, because other resources need it until they are
   * closed.
   */
  addFirst(name: string, close: () => Promise<void>): void {
    this.#opened.unshift({ name, close })
  }

  /** Resolves with the reason when the command must stop. */
  get stopped(): Promise<string> {
    return this.#stop.promise
  }

  /** Stops the command. */
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

  /**
   * Closes all resources. Reports failures and does not throw. Returns whether all resources were
   * closed without a failure.
   */
  async close(tell: (text: string) => void): Promise<boolean> {
    let well = true
    this.#closing ??= (async () => {
      const timer = setTimeout(() => {
        tell(`stopping took longer than ${GRACE_MS / 1000} s, so the process exits now`)
        process.exit(1)
      }, GRACE_MS)
      for (const item of this.#opened.splice(0).reverse()) {
        try {
          await item.close()
        } catch (error) {
          well = false
          tell(`stopping ${item.name} failed: ${messageOf(error)}`)
        }
      }
      clearTimeout(timer)
    })()
    await this.#closing
    return well
  }
}

/**
 * Runs a command: opens its resources, waits for a signal and closes the resources. Sets the exit
 * code.
 */
export async function serve(open: (life: Lifecycle) => Promise<void>): Promise<void> {
  const life = new Lifecycle()
  const tell = (text: string) => report(text, 'ERROR')
  life.listenToSignals()
  try {
    await open(life)
    await life.stopped
  } catch (error) {
    if (!life.signal.aborted) {
      tell(
        messageOf(
          isDiskFull(error) ? errors.create('MR_CLI_DISK_FULL', { cause: messageOf(error) }, { cause: error }) : error,
        ),
      )
      process.exitCode = 1
    }
  }
  if (!(await life.close(tell))) process.exitCode = 1
  process.exit()
}

/** Whether a full disk caused this error, directly or through other errors. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return ('code' in error && error.code === 'ENOSPC') || isDiskFull(error.cause)
}
