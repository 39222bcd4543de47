import type { BaseServices } from '../services.ts'
import { GroupCoordinator } from './group-coordinator.ts'
import { ProducerIds } from './producer-ids.ts'

export { GroupCoordinator, type GroupJoin, OFFSETS_TOPIC } from './group-coordinator.ts'
export { groupPartition, javaHash } from './group-partition.ts'
export { ProducerIds } from './producer-ids.ts'

/** The coordinators for groups and for producer ids. */
export interface Coordinators {
  readonly groups: GroupCoordinator
  readonly producerIds: ProducerIds
  /**
   * Takes over the partitions that this broker leads. Groups are loaded in the background. Until a
   * group is loaded, its clients get a retriable error.
   */
  start(): Promise<void>
  /** Answers all waiting requests. Resolves when all writes are complete. */
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
