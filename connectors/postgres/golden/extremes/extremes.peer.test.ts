/**
 * Checks that Debezium emits the values in the fixture of extremes.pg.test.ts on this version of
 * PostgreSQL.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pluginPath } from '../../../../test/compare/stacks.ts'
import { type PeerConnect, type PeerKafka, startPeerConnect, startPeerKafka } from '../../../../test/peers/servers.ts'
import { findKafkaLibs, skipWithout } from '../../../../test/peers/tools.ts'
import { type PostgresServer, startPostgres } from '../../../../test/services/postgres.ts'
import { captureExtremes } from './capture-debezium.ts'
import { MODES } from './modes.ts'
import { decodeExtremes, type ExtremesFixture } from './stored.ts'

const skip = skipWithout('Debezium', findKafkaLibs() !== null)
const server: PostgresServer | null = skip ? null : await startPostgres()

describe.skipIf(skip || server === null)('every type at its extremes, from Debezium', () => {
  let kafka: PeerKafka
  let connect: PeerConnect
  const dir = mkdtempSync(join(tmpdir(), 'extremes-'))

  beforeAll(async () => {
    kafka = await startPeerKafka()
    connect = await startPeerConnect(kafka.bootstrap, { set: { 'plugin.path': pluginPath(dir) } })
  })
  afterAll(async () => {
    await connect?.stop()
    await kafka?.stop()
    await server?.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  test('Debezium emits the values in the fixture, in every mode', { timeout: 600_000 }, async () => {
    const file = new URL('./expected.json', import.meta.url)
    const fixture = JSON.parse(readFileSync(file, 'utf8')) as ExtremesFixture
    const observed = await captureExtremes({ bootstrap: kafka.bootstrap, rest: connect.url, url: server!.url })
    for (const mode of Object.keys(MODES)) {
      const captured = decodeExtremes(fixture, mode)
      const different = Object.keys(captured).flatMap(table =>
        Object.keys(captured[table]!).filter(
          column =>
            JSON.stringify(sorted(captured[table]![column]!.cells)) !==
            JSON.stringify(sorted(observed[mode]![table]?.[column]?.cells ?? {})),
        ),
      )
      expect([mode, different]).toEqual([mode, []])
    }
  })
})

/** Returns the cells in the order of their events. */
const sorted = (cells: Readonly<Record<string, unknown>>) => Object.entries(cells).sort(([a], [b]) => (a < b ? -1 : 1))
