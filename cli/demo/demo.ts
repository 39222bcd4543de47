import { join } from 'node:path'
import { createLogger } from '../../core/common/log.ts'
import type { Lifecycle } from '../lifecycle.ts'
import { startEmbeddedPostgres } from './embedded-postgres.ts'
import { type ConnectorStatus, call, putConnector, waitForStart } from './rest.ts'
import { createShop, runShop, type Shop } from './shop.ts'
import { demoDir } from './sql.ts'

export interface Demo {
  readonly shop: Shop
  readonly outputFile: string
  readonly postgresUrl: string
  readonly elasticsearchUrl: string | null
  readonly connectors: readonly string[]
}

const SOURCE = 'shop-source'
const FILE = 'shop-orders-file'
const ELASTICSEARCH = 'shop-orders-elasticsearch'
/** The interval between two changes in the shop, in milliseconds. */
const EVERY_MS = 500

const UNWRAP = {
  transforms: 'unwrap',
  'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
  'transforms.unwrap.delete.tombstone.handling.mode': 'tombstone',
}

/** Returns the connectors of the demo, exactly as a user would post them. */
function demoConnectors(
  postgresPort: number,
  outputFile: string,
  elasticsearchUrl: string | null,
): Record<string, Record<string, string>> {
  return {
    [SOURCE]: {
      'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
      'database.hostname': '127.0.0.1',
      'database.port': String(postgresPort),
      'database.user': 'postgres',
      'database.password': 'postgres',
      'database.dbname': 'postgres',
      'topic.prefix': 'shop',
      'table.include.list': 'public.customers,public.products,public.orders',
      'plugin.name': 'pgoutput',
      'slot.name': 'millrace_demo',
      'publication.name': 'millrace_demo',
      'publication.autocreate.mode': 'filtered',
      'decimal.handling.mode': 'string',
    },
    [FILE]: {
      'connector.class': 'FileStreamSink',
      topics: 'shop.public.orders',
      file: outputFile,
      format: 'json',
      ...UNWRAP,
      'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite',
    },
    ...(elasticsearchUrl && {
      [ELASTICSEARCH]: {
        'connector.class': 'io.confluent.connect.elasticsearch.ElasticsearchSinkConnector',
        topics: 'shop.public.orders',
        'connection.url': elasticsearchUrl,
        'behavior.on.null.values': 'delete',
        'schema.ignore': 'true',
        // In a new demo, offsets restart at 0. As versions, they would be lower than the versions
        // of documents from an earlier demo.
        'external.version.source': 'timestamp',
        ...UNWRAP,
        transforms: 'unwrap,key',
        'transforms.key.type': 'org.apache.kafka.connect.transforms.ExtractField$Key',
        'transforms.key.field': 'id',
      },
    }),
  }
}

/**
 * Starts the demo and reports each step to `progress`. `life` closes the demo when the command
 * ends. The next start continues with the same data.
 */
export async function startDemo(options: {
  dataDir: string
  restUrl: string
  life: Lifecycle
  progress: (text: string) => void
}): Promise<Demo> {
  const { dataDir, restUrl, life, progress } = options
  const dir = demoDir(dataDir)
  const outputFile = join(dir, 'orders.jsonl')
  const elasticsearchUrl = process.env['ELASTICSEARCH_URL'] || null
  progress('starting the demo database (embedded Postgres)')
  const postgres = await startEmbeddedPostgres(join(dir, 'postgres'), life.signal)
  life.addFirst('the demo database', () => postgres.stop())
  await createShop(postgres.url)

  const configs = demoConnectors(postgres.port, outputFile, elasticsearchUrl)
  for (const [name, config] of Object.entries(configs)) {
    progress(`setting up ${name}`)
    await putConnector(restUrl, name, config)
  }
  if (!elasticsearchUrl) {
    // The connector may exist because an earlier start had ELASTICSEARCH_URL. Without this
    // variable, the connector would wait for a server.
    const path = `/connectors/${ELASTICSEARCH}`
    if (await call(restUrl, 'GET', path)) await call(restUrl, 'DELETE', path)
  }
  const shop = runShop(postgres.url, EVERY_MS, createLogger('millrace.demo'))
  life.add('the shop', () => shop.stop())
  return { shop, outputFile, postgresUrl: postgres.url, elasticsearchUrl, connectors: Object.keys(configs) }
}

/** Waits until the connectors of the demo are running or have failed, and returns their states. */
export async function demoStates(
  demo: Demo,
  restUrl: string,
  signal: AbortSignal,
): Promise<readonly ConnectorStatus[]> {
  const states: ConnectorStatus[] = []
  for (const name of demo.connectors) {
    const status = await waitForStart(restUrl, name, 30_000, signal)
    if (status) states.push(status)
  }
  return states
}
