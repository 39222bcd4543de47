import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import type { DescribeClusterRequest, DescribeClusterResponse } from '../../protocol/messages/60-describe-cluster.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import { brokersOn } from './brokers.ts'
import type { Handler } from './handler.ts'
import { CLUSTER_OPERATIONS, NO_OPERATIONS } from './shared.ts'

const BROKERS = 1
const CONTROLLERS = 2

/** Handles DescribeCluster requests. Returns the brokers of the cluster. */
export const describeClusterHandler: Handler<
  Message<typeof DescribeClusterRequest>,
  MessageInput<typeof DescribeClusterResponse>
> = {
  key: ApiKey.DescribeCluster,
  handle({ endpointType, includeClusterAuthorizedOperations }, ctx) {
    if (endpointType === CONTROLLERS)
      return {
        errorCode: ErrorCode.MISMATCHED_ENDPOINT_TYPE,
        errorMessage:
          'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER',
      }
    if (endpointType !== BROKERS)
      return {
        errorCode: ErrorCode.UNSUPPORTED_ENDPOINT_TYPE,
        errorMessage: `Unsupported endpoint type ${endpointType}`,
      }
    return {
      clusterId: ctx.broker.clusterId,
      controllerId: ctx.broker.nodeId,
      brokers: brokersOn(ctx).map(({ nodeId, host, port, rack }) => ({ brokerId: nodeId, host, port, rack })),
      clusterAuthorizedOperations: includeClusterAuthorizedOperations ? CLUSTER_OPERATIONS : NO_OPERATIONS,
    }
  },
}
