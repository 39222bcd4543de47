import { produceHandler } from './00-produce.ts'
import { fetchHandler } from './01-fetch.ts'
import { listOffsetsHandler } from './02-list-offsets.ts'
import { metadataHandler } from './03-metadata.ts'
import { offsetCommitHandler } from './08-offset-commit.ts'
import { offsetFetchHandler } from './09-offset-fetch.ts'
import { findCoordinatorHandler } from './10-find-coordinator.ts'
import { joinGroupHandler } from './11-join-group.ts'
import { heartbeatHandler } from './12-heartbeat.ts'
import { leaveGroupHandler } from './13-leave-group.ts'
import { syncGroupHandler } from './14-sync-group.ts'
import { describeGroupsHandler } from './15-describe-groups.ts'
import { listGroupsHandler } from './16-list-groups.ts'
import { apiVersionsHandler } from './18-api-versions.ts'
import { createTopicsHandler } from './19-create-topics.ts'
import { deleteTopicsHandler } from './20-delete-topics.ts'
import { deleteRecordsHandler } from './21-delete-records.ts'
import { initProducerIdHandler } from './22-init-producer-id.ts'
import { offsetForLeaderEpochHandler } from './23-offset-for-leader-epoch.ts'
import { describeConfigsHandler } from './32-describe-configs.ts'
import { alterConfigsHandler } from './33-alter-configs.ts'
import { describeLogDirsHandler } from './35-describe-log-dirs.ts'
import { createPartitionsHandler } from './37-create-partitions.ts'
import { deleteGroupsHandler } from './42-delete-groups.ts'
import { electLeadersHandler } from './43-elect-leaders.ts'
import { incrementalAlterConfigsHandler } from './44-incremental-alter-configs.ts'
import { offsetDeleteHandler } from './47-offset-delete.ts'
import { describeClusterHandler } from './60-describe-cluster.ts'
import { describeProducersHandler } from './61-describe-producers.ts'
import { listConfigResourcesHandler } from './74-list-config-resources.ts'
import { describeTopicPartitionsHandler } from './75-describe-topic-partitions.ts'
import type { AnyHandler, Handler } from './handler.ts'

/**
 * Removes the message types of a handler. This is safe, because the dispatcher decodes a request
 * with the declaration of the handler's API.
 */
function erase<Q, S>(handler: Handler<Q, S>): AnyHandler {
  return handler
}

/**
 * Returns the handlers of all APIs that the broker serves, by API key. ApiVersions announces these
 * APIs.
 */
export function createHandlers(): ReadonlyMap<number, AnyHandler> {
  const handlers = new Map<number, AnyHandler>()
  const all = [
    erase(produceHandler),
    erase(fetchHandler),
    erase(listOffsetsHandler),
    erase(metadataHandler),
    erase(offsetCommitHandler),
    erase(offsetFetchHandler),
    erase(findCoordinatorHandler),
    erase(joinGroupHandler),
    erase(heartbeatHandler),
    erase(leaveGroupHandler),
    erase(syncGroupHandler),
    erase(describeGroupsHandler),
    erase(listGroupsHandler),
    erase(apiVersionsHandler(() => handlers.keys())),
    erase(createTopicsHandler),
    erase(deleteTopicsHandler),
    erase(deleteRecordsHandler),
    erase(initProducerIdHandler),
    erase(offsetForLeaderEpochHandler),
    erase(describeConfigsHandler),
    erase(alterConfigsHandler),
    erase(describeLogDirsHandler),
    erase(createPartitionsHandler),
    erase(deleteGroupsHandler),
    erase(electLeadersHandler),
    erase(incrementalAlterConfigsHandler),
    erase(offsetDeleteHandler),
    erase(describeClusterHandler),
    erase(describeProducersHandler),
    erase(listConfigResourcesHandler),
    erase(describeTopicPartitionsHandler),
  ]
  for (const handler of all) handlers.set(handler.key, handler)
  return handlers
}
