import { describe, expect, test } from 'vitest'
import { hasJava, kafkaLibsOrSkip, runJava } from '../test-support/jars.ts'
import { RecordBatchBuilder } from './batch-builder.ts'
import { type DecodedBatch, readBatches } from './batch-reader.ts'

const libs = kafkaLibsOrSkip()
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const VALUES = [
  'null',
  ...Array.from({ length: 3000 }, (_, i) => `value-${i}-${'repeats-'.repeat(i % 13)}${(i * 7919) % 1009}`),
]

const hexOf = (value: Buffer | null) => (value === null ? 'null' : value.toString('hex'))

/** Returns a description of a batch, in the same format as KafkaCodec.java. */
function describeBatch(batch: DecodedBatch, codec: string): string {
  const head = [
    'batch',
    codec,
    batch.baseOffset,
    batch.lastOffset,
    batch.producerId,
    batch.producerEpoch,
    batch.baseSequence,
    batch.maxTimestamp,
    batch.isTransactional,
    batch.isControl,
  ]
  const records = batch
    .records()
    .map(r =>
      [r.offset, r.timestamp, hexOf(r.key), hexOf(r.value), ...r.headers.map(h => `${h.key}=${hexOf(h.value)}`)].join(
        ' ',
      ),
    )
  return [head.join(' '), ...records].map(part => `${part};`).join('')
}

/** Returns a batch with the records that KafkaCodec.java builds from the same values. */
function buildAsJava(codec: (typeof CODECS)[number], values: readonly string[]): Buffer {
  const builder = new RecordBatchBuilder({
    compression: codec,
    producerId: 7,
    epoch: 3,
    sequence: 11,
    transactional: true,
    leaderEpoch: 5,
  })
  values.forEach((text, at) => {
    const i = at + 1
    const key = i % 3 === 0 ? null : Buffer.from(`k${i}`)
    const value = text === 'null' ? null : Buffer.from(text)
    const headers = i % 2 === 0 ? [] : [{ key: `h${i}`, value: i % 5 === 0 ? null : Buffer.from([1, 2]) }]
    builder.append(key, value, 1_700_000_000_000 + i * 7 - (i % 4) * 100_000_000_000, headers)
  })
  return builder.build()
}

describe.skipIf(libs === null || !hasJava())("Kafka's own code", () => {
  test('builds batches that we can decode with every codec, and its uncompressed batches have the same bytes as ours', () => {
    const sizes = [1, 10, VALUES.length]
    const cases = CODECS.flatMap(codec => sizes.map(size => ({ codec, values: VALUES.slice(0, size) })))
    const lines = cases.map(({ codec, values }) => [codec, ...values].join(' '))
    const batches = runJava(libs!, 'KafkaCodec.java', ['write'], lines).map(hex => Buffer.from(hex, 'hex'))
    cases.forEach(({ codec, values }, i) => {
      const mine = buildAsJava(codec, values)
      if (codec === 'none') expect(mine.equals(batches[i]!)).toBe(true)
      const [theirs] = [...readBatches(batches[i]!, { checkCrc: true })]
      const [ours] = [...readBatches(mine, { checkCrc: true })]
      expect(describeBatch(theirs!, codec)).toBe(describeBatch(ours!, codec))
    })
  })

  test('reads our batches with every codec', () => {
    const built = CODECS.map(codec => buildAsJava(codec, VALUES))
    const answers = runJava(
      libs!,
      'KafkaCodec.java',
      ['read'],
      built.map(b => b.toString('hex')),
    )
    CODECS.forEach((codec, i) => {
      const [ours] = [...readBatches(built[i]!)]
      expect(answers[i]).toBe(describeBatch(ours!, codec))
    })
  })
})
