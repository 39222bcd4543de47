import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { errors } from '../errors.ts'

/** Returns the directory of the demo in the data directory. */
export function demoDir(dataDir: string): string {
  return join(resolve(dataDir), 'demo')
}

/**
 * Runs `millrace demo sql STATEMENT`: executes the statement in the demo's database and prints the
 * rows.
 */
export async function runSql(statement: string, options: { dataDir: string }): Promise<void> {
  const info = join(demoDir(options.dataDir), 'postgres', 'postgres.json')
  if (!existsSync(info)) throw errors.create('MR_CLI_NO_DEMO', { dir: options.dataDir })
  const { url } = JSON.parse(readFileSync(info, 'utf8')) as { url: string }
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  try {
    await client.connect()
  } catch (cause) {
    throw errors.create('MR_CLI_NO_DEMO', { dir: options.dataDir }, { cause })
  }
  try {
    const result = await client.query(statement)
    if (result.rows.length > 0) console.table(result.rows.slice(0, 100))
    console.log(`${result.command} ${result.rowCount ?? ''}`.trim())
  } finally {
    await client.end()
  }
}
