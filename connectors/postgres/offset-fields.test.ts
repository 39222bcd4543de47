import type { SourceOffset, SourcePartition } from 'millrace/connect'
import { parseSettings } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { postgresConfig } from './config.ts'
import { PostgresConnector } from './connector.ts'
import { offsetFault } from './offset-fields.ts'
import { propsFor } from './test-support/harness.ts'

const props = propsFor('postgresql://u:p@h:1/d')
const alter = async (offset: SourceOffset | null, partition: SourcePartition = { server: 't' }) =>
  new PostgresConnector().alterOffsets(parseSettings(postgresConfig, props), [[partition, offset]])

describe('offsets that are set through REST', () => {
  const WRONG: [string, unknown][] = [
    ['lsn', -1],
    ['lsn', 1.5],
    ['lsn', '100'],
    ['lsn', true],
    ['lsn', {}],
    ['lsn', null],
    ['lsn', 2 ** 53],
    ['lsn', 2n ** 63n],
    ['lsn_proc', -1],
    ['lsn_commit', 0.5],
    ['lsn_idle', '1'],
    ['lsn_events_processed', -3],
    ['txId', 1e-3],
    ['xmin', 'x'],
    ['ts_usec', '2024-01-01'],
    ['messageType', 'UPSERT'],
    ['snapshot', 1],
    ['snapshot_completed', 'true'],
    ['last_snapshot_record', 0],
    ['transaction_id', 7],
    ['transaction_data_collection_order_public.t', -1],
    ['wal_id', '7'],
    ['snapshot_progress', '{}'],
    ['LSN', 5],
    ['lsn_', 5],
    ['__proto__', 5],
    ['constructor', 5],
  ]
  test.each(WRONG)('an offset with "%s": %s is rejected, and the error names the field', async (key, value) => {
    const offset = JSON.parse(JSON.stringify({ lsn: 100 })) as Record<string, unknown>
    Object.defineProperty(offset, key, { value, enumerable: true, configurable: true })
    await expect(alter(offset)).rejects.toMatchObject({
      code: 'MR_PG_OFFSET_INVALID',
      message: expect.stringContaining(`"${key}"`),
    })
  })

  test('offsets in the form that Debezium and this connector write are accepted', async () => {
    const fine: SourceOffset[] = [
      { lsn: 0 },
      { lsn: 2n ** 62n, txId: null },
      { last_snapshot_record: true, lsn: 1, txId: 2, ts_usec: 3, snapshot: 'INITIAL', snapshot_completed: true },
      { lsn: 1, snapshot: true, last_snapshot_record: false },
      { lsn: 5, lsn_proc: 5, lsn_commit: 4, lsn_events_processed: 2, txId: 9, ts_usec: 1, messageType: 'INSERT' },
      { lsn: 5, transaction_id: '9', 'transaction_data_collection_order_public.t': 3 },
      { lsn: 5, incremental_snapshot_collections: '[]', incremental_snapshot_maximum_key: null },
      { lsn: 5, lsn_idle: 9, wal_id: '7000000000000000001/2' },
      { lsn: 5, snapshot: 'INITIAL', snapshot_progress: '{"tables":"x","at":0,"after":["1"]}' },
    ]
    for (const offset of fine) await expect(alter(offset)).resolves.toBe(false)
    await expect(alter(null)).resolves.toBe(false)
  })

  test('an offset for an invalid partition is rejected', async () => {
    for (const partition of [{}, { server: 5 }, { server: 'other' }, { server: 't', db: 'x' }] as SourcePartition[])
      await expect(alter({ lsn: 1 }, partition)).rejects.toMatchObject({ code: 'MR_PG_OFFSET_INVALID' })
  })
})

test('a stored offset may contain unknown keys, but no invalid values', () => {
  expect(offsetFault({ lsn: 1, new_key: 'x' }, false)).toBeNull()
  expect(offsetFault({ lsn: -1 }, false)).toMatch(/^"lsn" must be a non-negative whole number, not -1$/)
})
