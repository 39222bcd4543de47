/**
 * The server for client.ts. It implements only the necessary part of the protocol, and does little
 * work.
 */
import { createServer, type Socket } from 'node:net'
import { ApiKey, apis } from '../../core/protocol/api-keys.ts'
import { decodeRequestHeader, encodeResponseFrame } from '../../core/protocol/headers.ts'
import { RecordBatchBuilder } from '../../core/protocol/records/batch-builder.ts'
import { recordCount, setBaseOffset } from '../../core/protocol/records/batch-header.ts'
import { decode } from '../../core/protocol/schema/codec.ts'

/**
 * Returns the records of each fetch response: 1 MiB of batches of 16 KiB, like those of a producer.
 */
function makeRange(): Buffer[] {
  const batches: Buffer[] = []
  for (let i = 0; i < 64; i++) {
    const builder = new RecordBatchBuilder({ initialSize: 17_000 })
    while (builder.sizeInBytes < 16_200) builder.append(null, Buffer.alloc(100, 'x'), Date.now())
    batches.push(builder.build())
  }
  return batches
}

const range = makeRange()
const idOf = (topic: string) => Buffer.from(topic.padEnd(16, '.')).toString('base64url')
const names = ['sink-1', 'sink-2', 'sink-6']
const MAX_OFFSET = 2 ** 50

type Json = Record<string, unknown>

function answer(apiKey: number, version: number, request: Json): Json {
  switch (apiKey) {
    case ApiKey.ApiVersions:
      return {
        apiKeys: [...apis.values()].map(a => ({ apiKey: a.key, minVersion: a.minVersion, maxVersion: a.maxVersion })),
      }
    case ApiKey.Metadata:
      return {
        brokers: [{ nodeId: 1, host: '127.0.0.1', port }],
        controllerId: 1,
        topics: names.map(name => ({
          name,
          topicId: idOf(name),
          partitions: Array.from({ length: Number(name.slice(5)) }, (_, partitionIndex) => ({
            partitionIndex,
            leaderId: 1,
            leaderEpoch: 0,
          })),
        })),
      }
    case ApiKey.InitProducerId:
      return { producerId: 1, producerEpoch: 0 }
    case ApiKey.ListOffsets:
      return {
        topics: (request['topics'] as { name: string; partitions: { partitionIndex: number }[] }[]).map(t => ({
          name: t.name,
          partitions: t.partitions.map(p => ({ partitionIndex: p.partitionIndex, offset: 0 })),
        })),
      }
    case ApiKey.Produce:
      return {
        responses: (
          request['topicData'] as { topicId: string; name: string; partitionData: { index: number }[] }[]
        ).map(t => ({
          ...(version >= 13 ? { topicId: t.topicId } : { name: t.name }),
          partitionResponses: t.partitionData.map(p => ({ index: p.index, baseOffset: 0 })),
        })),
      }
    case ApiKey.Fetch:
      return {
        responses: (
          request['topics'] as { topicId: string; partitions: { partition: number; fetchOffset: number }[] }[]
        ).map(t => ({
          topicId: t.topicId,
          partitions: t.partitions.map(p => ({
            partitionIndex: p.partition,
            highWatermark: MAX_OFFSET,
            records: rangeAt(p.fetchOffset),
          })),
        })),
      }
    default:
      throw new Error(`the sink has no API ${apiKey}`)
  }
}

function rangeAt(offset: number): Buffer {
  let next = offset
  for (const batch of range) {
    setBaseOffset(batch, 0, next)
    next += recordCount(batch, 0)
  }
  return Buffer.concat(range)
}

function serve(socket: Socket): void {
  let buffered: Buffer = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', chunk => {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk])
    while (buffered.length >= 4 && buffered.length >= 4 + buffered.readInt32BE(0)) {
      const frame = buffered.subarray(4, 4 + buffered.readInt32BE(0))
      buffered = buffered.subarray(4 + frame.length)
      const header = decodeRequestHeader(frame)
      const api = apis.get(header.apiKey)!
      const request = decode(api.request, header.apiVersion, frame, header.end) as Json
      const response = answer(header.apiKey, header.apiVersion, request)
      for (const c of encodeResponseFrame(
        header.apiKey,
        header.apiVersion,
        header.correlationId,
        api.response,
        response,
      ))
        socket.write(c)
    }
  })
}

let port = 0
const server = createServer({ noDelay: true }, serve)
server.listen(0, '127.0.0.1', () => {
  port = (server.address() as { port: number }).port
  process.send?.(port)
})
process.on('disconnect', () => process.exit(0))
