import type { BaseServices } from '../services.ts'
import { GroupCoordinator } from './group-coordinator.ts'
import { ProducerIds } from './producer-ids.ts'

export { GroupCoordinator, type GroupJoin, OFFSETS_TOPIC } from './group-coordinator.ts'
export { groupPartition, javaHash } from './group-partition.ts'
export { ProducerIds } from './producer-ids.ts'

/** What the broker coordinates for its clients. */
export interface Coordinators {
  readonly groups: GroupCoordinator
  readonly producerIds: ProducerIds
  /** Takes over the partitions that are ours. Their groups load in the background; until then clients are told to wait. */
  start(): Promise<void>
  /** Answers everyone who waits and resolves when nothing is written any more. */
  close(): Promise<void>
}

export function createCoordinators(broker: BaseServices): Coordinators {
  const groups = new GroupCoordinator(broker)
  const producerIds = new ProducerIds({ allocateProducerIds: () => broker.controller.allocateProducerIds() })
  return {
    groups,
    producerIds,
    start: async () => groups.start(),
    close: () => groups.close(),
  }
}
