/**
 * Writes expected.json: the output of Debezium in Apache's Connect for every type at its extremes,
 * in every mode. Only this capture needs Java, not the comparison (extremes.pg.test.ts). The
 * arguments are the addresses of a broker, of a Connect worker with Debezium, and of a PostgreSQL
 * 15 server:
 *
 *   node --conditions=millrace-source connectors/postgres/golden/extremes/capture.ts \
 *     127.0.0.1:9092 http://127.0.0.1:8083 postgresql://postgres:postgres@127.0.0.1:5432/postgres
 */
import { writeFileSync } from 'node:fs'
import pg from 'pg'
import { captureExtremes } from './capture-debezium.ts'
import { encodeExtremes } from './stored.ts'

const [bootstrap, rest, url] = process.argv.slice(2) as [string, string, string]
const root = new pg.Client(url)
await root.connect()
const { rows } = await root.query<{ server_version: string }>('show server_version')
await root.end()
const observed = await captureExtremes({ bootstrap, rest, url })
writeFileSync(
  new URL('./expected.json', import.meta.url),
  encodeExtremes('3.7.0.Final', rows[0]!.server_version, observed),
)
