import { apiVersions, initProducerId, others } from './cluster.ts'
import { alterConfigs, describeConfigs } from './configs.ts'
import { differences, faults } from './differences.ts'
import {
  findCoordinator,
  groups,
  heartbeat,
  joinGroup,
  leaveGroup,
  offsetCommit,
  offsetFetch,
  syncGroup,
} from './groups.ts'
import type { OddRequest } from './odd-request.ts'
import { fetchById, fetchByName, listOffsets, offsetForLeaderEpoch, produce } from './records.ts'
import { createPartitions, createTopics, deleteTopics, describeTopicPartitions, metadata } from './topics.ts'

/**
 * Unusual requests for all APIs of the broker. They contain empty lists, nulls, unknown names and
 * ids, duplicates, and negative or unknown values. Requests that delete topics must come last.
 */
export const ODD_REQUESTS: readonly OddRequest[] = [
  ...metadata,
  ...describeTopicPartitions,
  ...createTopics,
  ...createPartitions,
  ...listOffsets,
  ...offsetForLeaderEpoch,
  ...fetchByName,
  ...fetchById,
  ...produce,
  ...offsetCommit,
  ...offsetFetch,
  ...findCoordinator,
  ...joinGroup,
  ...syncGroup,
  ...heartbeat,
  ...leaveGroup,
  ...groups,
  ...initProducerId,
  ...apiVersions,
  ...describeConfigs,
  ...alterConfigs,
  ...others,
  ...faults,
  ...differences,
  ...deleteTopics,
]
