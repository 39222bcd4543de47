/**
 * Returns the connector settings for the database of a URL. The servers of the tests check no
 * passwords.
 */
export function connectionSettings(database: string | URL): Record<string, string> {
  const { hostname, port, username, password, pathname } = new URL(database)
  return {
    'database.hostname': hostname,
    'database.port': port,
    'database.user': username,
    'database.password': password || 'unused',
    'database.dbname': pathname.slice(1),
  }
}
