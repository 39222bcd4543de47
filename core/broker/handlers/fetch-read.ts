import { ErrorCode, errorFor, kafkaCodeOf } from '../../protocol/error-codes.ts'
import type { PartitionLog, ReadResult } from '../log/types.ts'
import type { FetchedPartition, FetchTarget } from './fetch-partition.ts'
import type { RequestContext } from './handler.ts'
import { findTopic, missingTopicCode, partitionProblem } from './shared.ts'

/** A partition of a fetch request with its log, or with an error code if it cannot be read. */
export interface Resolved {
  readonly target: FetchTarget
  readonly topic: string
  readonly log: PartitionLog | null
  readonly errorCode: number
  readonly divergingEpoch?: { readonly epoch: number; readonly endOffset: number }
}

const NO_CHUNKS: readonly Buffer[] = []

/** Finds the log of a target, and checks the leader epochs that the client sent. */
export function resolve(target: FetchTarget, ctx: RequestContext): Resolved {
  const topic = findTopic(ctx.broker.image(), target.topic, target.topicId)
  if (!topic) {
    const errorCode = ctx.apiVersion >= 13 ? ErrorCode.UNKNOWN_TOPIC_ID : missingTopicCode(target.topicId)
    return { target, topic: target.topic, log: null, errorCode }
  }
  const known = topic.partitions[target.partition]
  const wrong = partitionProblem(known, Math.max(target.currentLeaderEpoch, -1))
  if (!known || wrong !== ErrorCode.NONE) return { target, topic: topic.name, log: null, errorCode: wrong }
  try {
    const log = ctx.broker.log(topic.name, target.partition)
    const divergingEpoch = divergence(target, log, known.leaderEpoch)
    return { target, topic: topic.name, log, errorCode: ErrorCode.NONE, ...(divergingEpoch && { divergingEpoch }) }
  } catch (error) {
    return { target, topic: topic.name, log: null, errorCode: kafkaCodeOf(error) }
  }
}

/**
 * Returns the epoch and offset at which the client's records diverge from this log (KIP-595).
 * Returns undefined if the log contains the last record that the client has fetched.
 */
function divergence(target: FetchTarget, log: PartitionLog, leaderEpoch: number) {
  const { lastFetchedEpoch, fetchOffset } = target
  if (lastFetchedEpoch < 0) return undefined
  const end =
    lastFetchedEpoch === leaderEpoch
      ? { epoch: leaderEpoch, endOffset: log.logEndOffset }
      : log.endOffsetForEpoch(lastFetchedEpoch)
  if (end.endOffset < 0) throw errorFor(ErrorCode.OFFSET_OUT_OF_RANGE)
  return end.endOffset < fetchOffset || end.epoch < lastFetchedEpoch ? end : undefined
}

/**
 * Whether Kafka reports this error before it accesses a log. For such an error, the list of aborted
 * transactions in the response is empty. For any other error, the list is null.
 */
function isUnknown(errorCode: number): boolean {
  return errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION || errorCode === ErrorCode.UNKNOWN_TOPIC_ID
}

function failed(r: Resolved, errorCode: number): FetchedPartition {
  return {
    target: r.target,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    aborted: isUnknown(errorCode) ? [] : null,
    chunks: NO_CHUNKS,
    size: 0,
    release: null,
  }
}

/** The number of bytes that one fetch may still read, over all its partitions. */
export interface ReadLimits {
  left: number
  /**
   * Whether nothing has been read yet. The first batch is returned even if it exceeds the limits.
   */
  first: boolean
}

async function withAborted(r: Resolved, log: PartitionLog, read: ReadResult, readCommitted: boolean) {
  if (!readCommitted) return null
  // The end of the read data is unknown, because the batches are not decoded. The list may contain
  // transactions after the end, which do no harm.
  return read.size === 0 ? [] : log.abortedTransactions(r.target.fetchOffset, read.lastStableOffset)
}

/** Reads one partition within the limits. Never throws. */
export async function read(r: Resolved, limits: ReadLimits, readCommitted: boolean): Promise<FetchedPartition> {
  const { log, target } = r
  if (!log) return failed(r, r.errorCode)
  try {
    const want = r.divergingEpoch ? 0 : Math.max(0, Math.min(target.maxBytes, limits.left))
    const upTo = readCommitted ? 'lastStable' : 'highWatermark'
    const minOneBatch = limits.first && !r.divergingEpoch
    const pending = log.read(target.fetchOffset, want, { upTo, minOneBatch })
    const result = pending instanceof Promise ? await pending : pending
    limits.left -= result.size
    if (result.size > 0) limits.first = false
    return {
      target,
      errorCode: ErrorCode.NONE,
      highWatermark: result.highWatermark,
      lastStableOffset: result.lastStableOffset,
      logStartOffset: result.logStartOffset,
      ...(r.divergingEpoch && { divergingEpoch: r.divergingEpoch }),
      aborted: await withAborted(r, log, result, readCommitted),
      chunks: result.chunks,
      size: result.size,
      release: result.release,
    }
  } catch (error) {
    return failed(r, kafkaCodeOf(error))
  }
}
