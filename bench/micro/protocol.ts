/**
 * Micro-benchmark of the wire format, without sockets and disks. Each line of the output is the
 * best of five runs. Usage: node bench/micro/protocol.ts
 */
import { type CompressionName, compress, decompress } from '../../core/protocol/compression/index.ts'
import { decodeRequestHeader, encodeRequestFrame, encodeResponseFrame } from '../../core/protocol/headers.ts'
import { ProduceRequest } from '../../core/protocol/messages/00-produce.ts'
import { FetchRequest, FetchResponse } from '../../core/protocol/messages/01-fetch.ts'
import { MetadataResponse } from '../../core/protocol/messages/03-metadata.ts'
import { RecordBatchBuilder } from '../../core/protocol/records/batch-builder.ts'
import { validateBatch } from '../../core/protocol/records/batch-header.ts'
import { readBatches } from '../../core/protocol/records/batch-reader.ts'
import { crc32c, crc32cInScript } from '../../core/protocol/records/crc32c.ts'
import { decode } from '../../core/protocol/schema/codec.ts'

const UUID = 'AAAAAAAAAAAAAAAAAAAAAQ'

/**
 * Warms up a function, then makes five runs of `n` calls. Returns the time of one call in the best
 * run, in ns.
 */
function best(n: number, run: () => void): number {
  let least = Infinity
  for (let round = 0; round < 6; round++) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < n; i++) run()
    const each = Number(process.hrtime.bigint() - start) / n
    if (round > 0 && each < least) least = each
  }
  return least
}

function print(what: string, value: number, unit: string): void {
  console.log(`${what.padEnd(68)} ${value.toFixed(value < 100 ? 2 : 0).padStart(9)} ${unit}`)
}

function buildBatch(records: number, size: number, compression: CompressionName = 'none'): Buffer {
  const builder = new RecordBatchBuilder({ compression, initialSize: records * (size + 12) + 100 })
  const value = Buffer.alloc(size, 'v')
  for (let i = 0; i < records; i++) builder.append(null, value, 1_700_000_000_000 + i)
  return builder.build()
}

function recordsPerSecond(): void {
  const value = Buffer.alloc(100, 'v')
  const key = Buffer.from('key-00001')
  const headers = [{ key: 'trace', value: Buffer.from('0123456789abcdef') }]
  const kinds: [string, () => void][] = [
    ['value of 100 B', () => buildBatch(1000, 100)],
    [
      'the same from a buffer of 1 KiB that grows',
      () => {
        const b = new RecordBatchBuilder()
        for (let i = 0; i < 1000; i++) b.append(null, value, 1_700_000_000_000 + i)
        b.build()
      },
    ],
    [
      'key of 9 B, value of 100 B',
      () => {
        const b = new RecordBatchBuilder({ initialSize: 130_000 })
        for (let i = 0; i < 1000; i++) b.append(key, value, 1_700_000_000_000 + i)
        b.build()
      },
    ],
    [
      'key, value, one header',
      () => {
        const b = new RecordBatchBuilder({ initialSize: 160_000 })
        for (let i = 0; i < 1000; i++) b.append(key, value, 1_700_000_000_000 + i, headers)
        b.build()
      },
    ],
  ]
  for (const [what, run] of kinds) print(`build batches of 1000: ${what}`, 1e6 / best(200, run), 'M records/s')
}

function reading(): void {
  const batch = buildBatch(1000, 100)
  const read = best(300, () => {
    for (const b of readBatches(batch)) b.records()
  })
  print('read batches of 1000: value of 100 B', 1e6 / read, 'M records/s')
  const checked = best(300, () => {
    for (const b of readBatches(batch, { checkCrc: true })) b.records()
  })
  print('the same with the checksum', 1e6 / checked, 'M records/s')
  print('validateBatch, 110 KB', best(2000, () => validateBatch(batch, 0, batch.length)) / 1000, 'us')
  const small = buildBatch(15, 1024)
  print('validateBatch, 16 KB', best(20_000, () => validateBatch(small, 0, small.length)) / 1000, 'us')
}

function messages(): void {
  const records = buildBatch(15, 1024)
  const produce = {
    acks: -1,
    timeoutMs: 30_000,
    topicData: [{ name: 'topic-a', partitionData: [{ index: 0, records }] }],
  }
  const header = { apiKey: 0, apiVersion: 12, correlationId: 1, clientId: 'producer-1' }
  const frame = Buffer.concat(encodeRequestFrame(header, ProduceRequest, produce)).subarray(4)
  print(
    'decode a Produce request (1 partition), header too',
    best(100_000, () => {
      decode(ProduceRequest, 12, frame, decodeRequestHeader(frame).end)
    }) / 1000,
    'us',
  )
  print('encode the same', best(100_000, () => encodeRequestFrame(header, ProduceRequest, produce)) / 1000, 'us')

  const partitions = Array.from({ length: 6 }, (_, partition) => ({
    partition,
    fetchOffset: 1e6,
    partitionMaxBytes: 1 << 20,
  }))
  const fetch = { maxWaitMs: 500, minBytes: 1, sessionId: 5, sessionEpoch: 9, topics: [{ topicId: UUID, partitions }] }
  const fetchHeader = { apiKey: 1, apiVersion: 17, correlationId: 1, clientId: 'consumer-1' }
  const fetchFrame = Buffer.concat(encodeRequestFrame(fetchHeader, FetchRequest, fetch)).subarray(4)
  print(
    'decode a Fetch request (6 partitions)',
    best(50_000, () => {
      decode(FetchRequest, 17, fetchFrame, decodeRequestHeader(fetchFrame).end)
    }) / 1000,
    'us',
  )

  const answer = {
    sessionId: 5,
    responses: [
      {
        topicId: UUID,
        partitions: partitions.map(p => ({ partitionIndex: p.partition, records: [records, records] })),
      },
    ],
  }
  print(
    'encode a Fetch response (6 partitions of 2 chunks)',
    best(50_000, () => {
      encodeResponseFrame(1, 17, 1, FetchResponse, answer)
    }) / 1000,
    'us',
  )
  const metadata = {
    brokers: [{ nodeId: 1, host: 'localhost', port: 9092 }],
    topics: Array.from({ length: 100 }, (_, i) => ({
      name: `topic-${i}`,
      topicId: UUID,
      partitions: partitions.map(p => ({ partitionIndex: p.partition, leaderId: 1, replicaNodes: [1], isrNodes: [1] })),
    })),
  }
  const metadataFrame = Buffer.concat(encodeResponseFrame(3, 12, 1, MetadataResponse, metadata))
  print(
    'encode a Metadata response (600 partitions)',
    best(300, () => {
      encodeResponseFrame(3, 12, 1, MetadataResponse, metadata)
    }) / 1000,
    'us',
  )
  print('decode the same', best(300, () => decode(MetadataResponse, 12, metadataFrame, 9)) / 1000, 'us')
}

function checksums(): void {
  for (const size of [64, 192, 1024, 16_384, 1 << 20]) {
    const buf = Buffer.alloc(size, 'x')
    const n = Math.max(20, Math.min(100_000, Math.round(1e8 / size / 10)))
    print(`crc32c of ${size} B`, size / best(n, () => crc32c(buf, 0, size)), 'GB/s')
    if (size <= 1024) print(`crc32c of ${size} B in script`, size / best(n, () => crc32cInScript(buf, 0, size)), 'GB/s')
  }
}

function codecs(): void {
  const text = Array.from({ length: 8000 }, (_, i) => `{"id":${i},"name":"customer ${i % 100}","value":${Math.sin(i)}}`)
  for (const size of [16_384, 262_144]) {
    const plain = Buffer.from(text.join('\n')).subarray(0, size)
    for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const packed = compress(codec, plain)
      const n = Math.round(4e6 / size)
      const ratio = (plain.length / packed.length).toFixed(1)
      print(
        `${codec} of ${size} B to 1/${ratio}: compress`,
        (plain.length / best(n, () => compress(codec, plain))) * 1000,
        'MB/s',
      )
      print(
        `${codec} of ${size} B to 1/${ratio}: decompress`,
        (plain.length / best(n, () => decompress(codec, packed, 1 << 24))) * 1000,
        'MB/s',
      )
    }
  }
}

recordsPerSecond()
reading()
messages()
checksums()
codecs()
