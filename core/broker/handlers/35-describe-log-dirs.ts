import { statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import type { DescribeLogDirsRequest, DescribeLogDirsResponse } from '../../protocol/messages/35-describe-log-dirs.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import type { PartitionLog } from '../log/types.ts'
import { METADATA_TOPIC } from '../quorum/topic-names.ts'
import type { Handler } from './handler.ts'

type Request = Message<typeof DescribeLogDirsRequest>
type Response = MessageInput<typeof DescribeLogDirsResponse>

/**
 * Returns a filter for the requested partitions. If the request has no list of topics, the filter
 * accepts all partitions except that of the metadata log.
 */
function filterOf(request: Request): (log: PartitionLog) => boolean {
  if (request.topics === null) return log => log.topic !== METADATA_TOPIC
  const requested = new Map(request.topics.map(t => [t.topic, new Set(t.partitions)]))
  return log => requested.get(log.topic)?.has(log.partition) === true
}

function topicsOf(logs: readonly PartitionLog[]) {
  const topics = new Map<string, { partitionIndex: number; partitionSize: number; offsetLag: number }[]>()
  for (const log of logs) {
    const partitions = topics.get(log.topic) ?? []
    partitions.push({ partitionIndex: log.partition, partitionSize: log.sizeInBytes, offsetLag: 0 })
    topics.set(log.topic, partitions)
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions }))
}

/**
 * Handles DescribeLogDirs requests. Returns the partitions and the disk space of each log
 * directory.
 */
export const describeLogDirsHandler: Handler<Request, Response> = {
  key: ApiKey.DescribeLogDirs,
  async handle(request, ctx) {
    const wanted = filterOf(request)
    const logs = ctx.broker.logs.all().filter(wanted)
    const results = ctx.broker.config.logDirs.map(async given => {
      const logDir = resolve(given)
      const topics = topicsOf(logs.filter(l => dirname(resolve(l.dir)) === logDir))
      try {
        const fs = await statfs(logDir)
        return { logDir, topics, totalBytes: fs.blocks * fs.bsize, usableBytes: fs.bavail * fs.bsize }
      } catch {
        // The directory itself cannot be accessed. Kafka returns this code in that case.
        return { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, logDir, topics: [] }
      }
    })
    return { results: await Promise.all(results) }
  },
}
