import type { SourceRecord } from 'millrace/connect'
import { matchesAny, type TableName } from '../../cdc/index.ts'
import type { PostgresOptions } from '../options.ts'
import type { StreamCursor } from './cursor.ts'
import type { Emitter } from './emitter.ts'
import { type PgMessage, readString } from './pgoutput.ts'

/** The name under which transaction metadata counts logical decoding messages. */
const MESSAGES = 'LOGICAL_DECODING_MESSAGE'
const NO_TABLE: TableName = { schema: '', table: '' }

/** Decodes logical decoding messages (`pg_logical_emit_message`) and emits their events. */
export class MessageDecoder {
  readonly #options: PostgresOptions
  readonly #cursor: StreamCursor
  readonly #emitter: Emitter

  constructor(options: PostgresOptions, cursor: StreamCursor, emitter: Emitter) {
    this.#options = options
    this.#cursor = cursor
    this.#emitter = emitter
  }

  decode(out: SourceRecord[], { buf, at, end, lsn }: PgMessage, isInTransaction: boolean): void {
    const cursor = this.#cursor
    const isTransactional = buf[at] === 1
    const { value: prefix, next } = readString(buf, at + 9, end)
    if (isTransactional ? cursor.skipsMessage(lsn) : !isInTransaction && cursor.isBeforeLastCommit(lsn)) return
    if (!this.#isIncluded(prefix)) return
    const length = buf.readUInt32BE(next)
    const content = Buffer.from(buf.subarray(next + 4, next + 4 + length))
    const transaction = isTransactional ? cursor.message(lsn, MESSAGES) : cursor.standaloneMessage(lsn)
    const source = cursor.messageSource(NO_TABLE, lsn, isTransactional)
    const topic = this.#options.topics.message()
    const { now: time, offset } = cursor
    out.push(this.#emitter.message({ topic, prefix, content, source, transaction, time, offset }))
  }

  #isIncluded(prefix: string): boolean {
    const { messageInclude, messageExclude } = this.#options
    if (messageInclude && !matchesAny(messageInclude, prefix)) return false
    return !(messageExclude && matchesAny(messageExclude, prefix))
  }
}
