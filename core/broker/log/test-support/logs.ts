import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '../../../common/log.ts'
import { type BatchOptions, RecordBatchBuilder } from '../../../protocol/records/batch-builder.ts'
import { type DecodedRecord, readBatches } from '../../../protocol/records/batch-reader.ts'
import { DEFAULT_LOG_CONFIG } from '../log-config.ts'
import { createLogEnv, type LogEnv } from '../log-env.ts'
import { type OpenOptions, PartitionLog } from '../partition-log.ts'
import type { AppendResult, LogConfig, LogManagerOptions, ReadOptions } from '../types.ts'

export const TOPIC_ID = 'BUuVtCShS_9i29BmQLtPAQ'

/** Creates a temporary directory for one test. */
export function tempDir(): string {
  return mkdtempSync(join(tmpdir(), 'millrace-log-'))
}

export function removeDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true })
}

/** Returns a logger that collects its lines in `lines`. */
export function recordingLogger(lines: string[] = []): Logger & { lines: string[] } {
  const add = (level: string) => (message: string) => void lines.push(`${level} ${message}`)
  const logger = {
    name: 'test',
    lines,
    trace: add('TRACE'),
    debug: add('DEBUG'),
    info: add('INFO'),
    warn: add('WARN'),
    error: add('ERROR'),
    isEnabled: () => true,
    withContext: () => logger,
  }
  return logger
}

export function testEnv(o: Partial<Omit<LogManagerOptions, 'dirs' | 'defaults'>> = {}): LogEnv {
  return createLogEnv({ logger: recordingLogger(), ...o })
}

export function configOf(o: Partial<LogConfig> = {}): LogConfig {
  return { ...DEFAULT_LOG_CONFIG, ...o }
}

export function openLog(
  dir: string,
  config: Partial<LogConfig> = {},
  o: Partial<OpenOptions> = {},
): Promise<PartitionLog> {
  const env = o.env ?? testEnv()
  return PartitionLog.open({ topic: 't', partition: 0, topicId: TOPIC_ID, dir, ...o, env, config: configOf(config) })
}

export interface TestRecord {
  readonly key?: string | null
  readonly value: string | null
  readonly timestamp?: number
}

/** Returns a batch that contains these records, as a producer sends it. */
export function batchOf(records: readonly (string | TestRecord)[], o: BatchOptions = {}): Buffer {
  const builder = new RecordBatchBuilder(o)
  for (const r of records) {
    const { key = null, value, timestamp = 1000 } = typeof r === 'string' ? { value: r } : r
    builder.append(key === null ? null : Buffer.from(key), value === null ? null : Buffer.from(value), timestamp)
  }
  return builder.build()
}

export function append(
  log: PartitionLog,
  records: readonly (string | TestRecord)[],
  o: BatchOptions = {},
): Promise<AppendResult> {
  return log.append(batchOf(records, o), { origin: 'client', leaderEpoch: 0 })
}

export const TO_END: ReadOptions = { upTo: 'logEnd', minOneBatch: true }

/** Reads all records from an offset to the end of the log. Each read returns about `maxBytes`. */
export async function readAll(
  log: PartitionLog,
  from = log.logStartOffset,
  maxBytes = 1 << 20,
): Promise<DecodedRecord[]> {
  const records: DecodedRecord[] = []
  let offset = from
  while (offset < log.logEndOffset) {
    const { chunks } = await log.read(offset, maxBytes, TO_END)
    const before = offset
    for (const chunk of chunks) {
      for (const batch of readBatches(chunk, { checkCrc: true })) {
        for (const record of batch.records()) if (record.offset >= offset) records.push(record)
        offset = Math.max(offset, batch.baseOffset + batch.lastOffsetDelta + 1)
      }
    }
    if (offset === before) break
  }
  return records
}

export async function readValues(log: PartitionLog, from?: number, maxBytes?: number): Promise<string[]> {
  return (await readAll(log, from, maxBytes)).map(r => String(r.value))
}
