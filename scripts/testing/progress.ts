import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { Reporter, TestCase, TestModule } from 'vitest/node'

/**
 * The progress of a run of tests. It is written at every step, so that a run that hangs can be
 * examined.
 */
export interface Progress {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** The files and tests that have started but not ended, each with the time of its start. */
  readonly running: readonly { readonly name: string; readonly since: number }[]
}

export const NONE: Progress = { passed: 0, failed: 0, skipped: 0, running: [] }

/** The environment variable with the path of the file that the reporter writes. */
export const PROGRESS_FILE = 'MILLRACE_TEST_PROGRESS'

/** Reads the file of the reporter. If the file does not exist, no test has started. */
export function readProgress(file: string): Progress {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Progress
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return NONE
    throw error
  }
}

/** A reporter for vitest that writes the progress to the file in MILLRACE_TEST_PROGRESS. */
export default class ProgressReporter implements Reporter {
  readonly #file = process.env[PROGRESS_FILE]
  readonly #running = new Map<string, { name: string; since: number }>()
  #passed = 0
  #failed = 0
  #skipped = 0

  onTestModuleQueued(module: TestModule): void {
    this.#begin(module.id, module.relativeModuleId)
  }

  onTestCaseReady(test: TestCase): void {
    this.#begin(test.id, `${test.module.relativeModuleId} > ${test.fullName}`)
  }

  onTestCaseResult(test: TestCase): void {
    this.#running.delete(test.id)
    this.#write()
  }

  onTestModuleEnd(module: TestModule): void {
    this.#running.delete(module.id)
    let failed = 0
    for (const test of module.children.allTests()) {
      this.#running.delete(test.id)
      const { state } = test.result()
      if (state === 'passed') this.#passed++
      else if (state === 'failed') failed++
      else this.#skipped++
    }
    // A file that cannot be loaded, or whose hooks fail, counts as one failed test.
    this.#failed += failed === 0 && module.state() === 'failed' ? 1 : failed
    this.#write()
  }

  #begin(id: string, name: string): void {
    this.#running.set(id, { name, since: Date.now() })
    this.#write()
  }

  #write(): void {
    if (!this.#file) return
    const progress: Progress = {
      passed: this.#passed,
      failed: this.#failed,
      skipped: this.#skipped,
      running: [...this.#running.values()],
    }
    writeFileSync(`${this.#file}.new`, JSON.stringify(progress))
    renameSync(`${this.#file}.new`, this.#file)
  }
}
