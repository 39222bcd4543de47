import pg from 'pg'

/**
 * Runs statements on a new connection, one after another. Returns the result of the last statement.
 */
export async function query(url: string, ...statements: string[]): Promise<pg.QueryResult> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    let result: pg.QueryResult | null = null
    for (const statement of statements) result = await client.query(statement)
    return result!
  } finally {
    await client.end()
  }
}
