import type { Logger } from 'millrace/connect'
import { anchored, qualified } from '../cdc/index.ts'
import type { Catalog } from './catalog/catalog.ts'
import { quoted, quotedTable, type TableEntry } from './catalog/tables.ts'
import type { PostgresOptions } from './options.ts'
import { denied } from './server.ts'

const IDENTITY: Readonly<Record<string, string>> = { DEFAULT: 'd', FULL: 'f', NOTHING: 'n' }
const INDEX = /^INDEX\s+(\S+)$/i

/**
 * Parses a rule `<schema>.<table>:<identity>`. The part before the colon is a regular expression.
 * Throws SyntaxError or PatternError.
 */
function parse(rule: string): { tables: RegExp; wanted: string; index: string | null } {
  const at = rule.lastIndexOf(':')
  if (at < 0) throw new SyntaxError('must look like <schema>.<table>:<DEFAULT|FULL|NOTHING|INDEX name>')
  const wanted = rule.slice(at + 1).trim()
  const index = INDEX.exec(wanted)?.[1] ?? null
  if (index === null && !(wanted.toUpperCase() in IDENTITY))
    throw new SyntaxError(`has the identity '${wanted}', but it must be DEFAULT, FULL, NOTHING or INDEX <name>`)
  return { tables: anchored(rule.slice(0, at).trim()), wanted: wanted.toUpperCase(), index }
}

/** Returns what is wrong with a rule of `replica.identity.autoset.values`; null if it is valid. */
export function wrongIdentity(rule: string): string | null {
  try {
    parse(rule)
    return null
  } catch (error) {
    return (error as Error).message
  }
}

/**
 * Sets the replica identities of `replica.identity.autoset.values`. Skips a table that already has
 * the configured identity, because the statement locks the table.
 */
export async function setIdentities(
  catalog: Catalog,
  options: PostgresOptions,
  tables: readonly TableEntry[],
  logger: Logger,
): Promise<void> {
  const rules = (options.publication.identities ?? '').split(',').filter(r => r.trim() !== '')
  for (const { tables: pattern, wanted, index } of rules.map(parse)) {
    for (const table of tables.filter(t => pattern.test(qualified(t)))) {
      const has = index === null ? IDENTITY[wanted] === table.identity : index === table.identityIndex
      if (has) continue
      const identity = index === null ? wanted : `USING INDEX ${quoted(index)}`
      logger.info(`replica identity of ${qualified(table)} becomes ${identity}`)
      await denied(
        `changing the replica identity of ${qualified(table)}`,
        catalog.rows(`ALTER TABLE ${quotedTable(table)} REPLICA IDENTITY ${identity}`),
      )
    }
  }
}
