import pg from 'pg'

/** Runs statements one after the other on a new connection. Returns the result of the last one. */
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
