import type { MillraceError } from 'millrace/connect'
import { type BlockedContext, reportingBlockers } from './blocked.ts'
import type { Catalog } from './catalog/catalog.ts'
import type { TableEntry } from './catalog/tables.ts'
import { errors } from './errors.ts'
import { ensurePublication, identityWarnings, publicationWarnings } from './publication.ts'
import { type Publication, publicationOf } from './published.ts'
import { setIdentities } from './replica-identity.ts'

/** The interval between checks of the publication, in multiples of `status.update.interval.ms`. */
const CHECK_INTERVALS = 6

/** The facts about the server that each connection reads. */
export interface ServerFacts {
  readonly version: number
  readonly readOnly: boolean
}

/**
 * Creates the publication, checks it while the connector streams, and logs a warning for each kind
 * of change that the publication excludes.
 */
export class PublicationKeeper {
  readonly #context: BlockedContext
  readonly #catalog: Catalog
  readonly #warned = new Set<string>()
  #facts: ServerFacts = { version: 0, readOnly: false }
  #current: Publication | null = null
  #checkedAt = 0

  constructor(context: BlockedContext, catalog: Catalog) {
    this.#context = context
    this.#catalog = catalog
  }

  /** The last known state of the publication; null before the first read. */
  get current(): Publication | null {
    return this.#current
  }

  /** The time until the next check, in milliseconds. */
  get wait(): number {
    const interval = CHECK_INTERVALS * this.#context.options.slot.statusMs
    return Math.max(0, this.#checkedAt + interval - Date.now())
  }

  /**
   * Sets up the publication at each connection, and the replica identities at the first connection.
   */
  async prepare(tables: readonly TableEntry[], facts: ServerFacts, isFirst: boolean): Promise<void> {
    const { options, logger } = this.#context
    this.#facts = facts
    const work = async () => {
      if (isFirst) await setIdentities(this.#catalog, options, tables, logger)
      await this.#ensure(tables, isFirst)
    }
    await this.#reporting('setting up the publication and replica identities', work())
  }

  /**
   * Checks for captured tables that are not in the publication, because they are new or were
   * removed from it. Throws if the publication no longer exists. Does nothing until the next check
   * is due.
   */
  async refresh(): Promise<void> {
    if (this.wait > 0) return
    await this.#require()
    const tables = await this.#catalog.tables()
    await this.#reporting('adding tables to the publication', this.#ensure(tables, false))
  }

  /**
   * Called when the server reports that it skipped changes made while the publication did not
   * exist. Throws if the publication still does not exist.
   */
  async skipped(message: string): Promise<void> {
    await this.#require()
    this.#context.logger.warn(
      `${message} Changes from before the publication was created are lost. If there were any, take a new snapshot.`,
    )
  }

  #reporting<T>(what: string, work: Promise<T>): Promise<T> {
    return reportingBlockers(this.#context, what, () => ({ pid: this.#catalog.pid }), work)
  }

  async #require(): Promise<void> {
    const { name } = this.#context.options.publication
    this.#checkedAt = Date.now()
    if ((await publicationOf(this.#catalog, name)) === null)
      throw errors.create('MR_PG_PUBLICATION_MISSING', { publication: name })
  }

  /**
   * Makes sure that the publication exists, and adds captured tables as configured. With
   * `isStrict`, a table that cannot be added is an error, as when Debezium starts. Without
   * `isStrict`, such a table causes only a warning, because a table that is created later may
   * belong to another user.
   */
  async #ensure(tables: readonly TableEntry[], isStrict: boolean): Promise<void> {
    const { options, logger } = this.#context
    const { version: serverVersion, readOnly } = this.#facts
    const cannotAdd = isStrict ? null : (failure: MillraceError) => this.#warn(failure.message)
    const context = { catalog: this.#catalog, options, logger, serverVersion, readOnly, cannotAdd }
    const publication = await ensurePublication(context, tables)
    this.#current = publication
    this.#checkedAt = Date.now()
    const warnings = publicationWarnings(options, tables, publication)
    const identity = await identityWarnings(this.#catalog, options.publication.name, publication)
    for (const warning of [...warnings, ...identity]) this.#warn(warning)
  }

  #warn(warning: string): void {
    if (this.#warned.has(warning)) return
    this.#warned.add(warning)
    this.#context.logger.warn(warning)
  }
}
