import { ProduceRequest, ProduceResponse } from './messages/00-produce.ts'
import { FetchRequest, FetchResponse } from './messages/01-fetch.ts'
import { ListOffsetsRequest, ListOffsetsResponse } from './messages/02-list-offsets.ts'
import { MetadataRequest, MetadataResponse } from './messages/03-metadata.ts'
import { OffsetCommitRequest, OffsetCommitResponse } from './messages/08-offset-commit.ts'
import { OffsetFetchRequest, OffsetFetchResponse } from './messages/09-offset-fetch.ts'
import { FindCoordinatorRequest, FindCoordinatorResponse } from './messages/10-find-coordinator.ts'
import { JoinGroupRequest, JoinGroupResponse } from './messages/11-join-group.ts'
import { HeartbeatRequest, HeartbeatResponse } from './messages/12-heartbeat.ts'
import { LeaveGroupRequest, LeaveGroupResponse } from './messages/13-leave-group.ts'
import { SyncGroupRequest, SyncGroupResponse } from './messages/14-sync-group.ts'
import { DescribeGroupsRequest, DescribeGroupsResponse } from './messages/15-describe-groups.ts'
import { ListGroupsRequest, ListGroupsResponse } from './messages/16-list-groups.ts'
import { SaslHandshakeRequest, SaslHandshakeResponse } from './messages/17-sasl-handshake.ts'
import { ApiVersionsRequest, ApiVersionsResponse } from './messages/18-api-versions.ts'
import { CreateTopicsRequest, CreateTopicsResponse } from './messages/19-create-topics.ts'
import { DeleteTopicsRequest, DeleteTopicsResponse } from './messages/20-delete-topics.ts'
import { DeleteRecordsRequest, DeleteRecordsResponse } from './messages/21-delete-records.ts'
import { InitProducerIdRequest, InitProducerIdResponse } from './messages/22-init-producer-id.ts'
import { OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse } from './messages/23-offset-for-leader-epoch.ts'
import { AddPartitionsToTxnRequest, AddPartitionsToTxnResponse } from './messages/24-add-partitions-to-txn.ts'
import { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from './messages/25-add-offsets-to-txn.ts'
import { EndTxnRequest, EndTxnResponse } from './messages/26-end-txn.ts'
import { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from './messages/27-write-txn-markers.ts'
import { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from './messages/28-txn-offset-commit.ts'
import { DescribeConfigsRequest, DescribeConfigsResponse } from './messages/32-describe-configs.ts'
import { AlterConfigsRequest, AlterConfigsResponse } from './messages/33-alter-configs.ts'
import { DescribeLogDirsRequest, DescribeLogDirsResponse } from './messages/35-describe-log-dirs.ts'
import { SaslAuthenticateRequest, SaslAuthenticateResponse } from './messages/36-sasl-authenticate.ts'
import { CreatePartitionsRequest, CreatePartitionsResponse } from './messages/37-create-partitions.ts'
import { DeleteGroupsRequest, DeleteGroupsResponse } from './messages/42-delete-groups.ts'
import { ElectLeadersRequest, ElectLeadersResponse } from './messages/43-elect-leaders.ts'
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from './messages/44-incremental-alter-configs.ts'
import { OffsetDeleteRequest, OffsetDeleteResponse } from './messages/47-offset-delete.ts'
import { DescribeClusterRequest, DescribeClusterResponse } from './messages/60-describe-cluster.ts'
import { DescribeProducersRequest, DescribeProducersResponse } from './messages/61-describe-producers.ts'
import { ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse } from './messages/69-consumer-group-describe.ts'
import { ListConfigResourcesRequest, ListConfigResourcesResponse } from './messages/74-list-config-resources.ts'
import {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from './messages/75-describe-topic-partitions.ts'
import type { MessageDeclaration } from './schema/declare.ts'
import { parseVersions } from './schema/versions.ts'

/** Kafka's API keys by name, including the keys of APIs that this module does not declare. */
export const ApiKey = {
  Produce: 0,
  Fetch: 1,
  ListOffsets: 2,
  Metadata: 3,
  LeaderAndIsr: 4,
  StopReplica: 5,
  UpdateMetadata: 6,
  ControlledShutdown: 7,
  OffsetCommit: 8,
  OffsetFetch: 9,
  FindCoordinator: 10,
  JoinGroup: 11,
  Heartbeat: 12,
  LeaveGroup: 13,
  SyncGroup: 14,
  DescribeGroups: 15,
  ListGroups: 16,
  SaslHandshake: 17,
  ApiVersions: 18,
  CreateTopics: 19,
  DeleteTopics: 20,
  DeleteRecords: 21,
  InitProducerId: 22,
  OffsetForLeaderEpoch: 23,
  AddPartitionsToTxn: 24,
  AddOffsetsToTxn: 25,
  EndTxn: 26,
  WriteTxnMarkers: 27,
  TxnOffsetCommit: 28,
  DescribeAcls: 29,
  CreateAcls: 30,
  DeleteAcls: 31,
  DescribeConfigs: 32,
  AlterConfigs: 33,
  AlterReplicaLogDirs: 34,
  DescribeLogDirs: 35,
  SaslAuthenticate: 36,
  CreatePartitions: 37,
  CreateDelegationToken: 38,
  RenewDelegationToken: 39,
  ExpireDelegationToken: 40,
  DescribeDelegationToken: 41,
  DeleteGroups: 42,
  ElectLeaders: 43,
  IncrementalAlterConfigs: 44,
  AlterPartitionReassignments: 45,
  ListPartitionReassignments: 46,
  OffsetDelete: 47,
  DescribeClientQuotas: 48,
  AlterClientQuotas: 49,
  DescribeUserScramCredentials: 50,
  AlterUserScramCredentials: 51,
  Vote: 52,
  BeginQuorumEpoch: 53,
  EndQuorumEpoch: 54,
  DescribeQuorum: 55,
  AlterPartition: 56,
  UpdateFeatures: 57,
  Envelope: 58,
  FetchSnapshot: 59,
  DescribeCluster: 60,
  DescribeProducers: 61,
  BrokerRegistration: 62,
  BrokerHeartbeat: 63,
  UnregisterBroker: 64,
  DescribeTransactions: 65,
  ListTransactions: 66,
  AllocateProducerIds: 67,
  ConsumerGroupHeartbeat: 68,
  ConsumerGroupDescribe: 69,
  ControllerRegistration: 70,
  GetTelemetrySubscriptions: 71,
  PushTelemetry: 72,
  AssignReplicasToDirs: 73,
  ListConfigResources: 74,
  DescribeTopicPartitions: 75,
  ShareGroupHeartbeat: 76,
  ShareGroupDescribe: 77,
  ShareFetch: 78,
  ShareAcknowledge: 79,
  AddRaftVoter: 80,
  RemoveRaftVoter: 81,
  UpdateRaftVoter: 82,
  InitializeShareGroupState: 83,
  ReadShareGroupState: 84,
  WriteShareGroupState: 85,
  DeleteShareGroupState: 86,
  ReadShareGroupStateSummary: 87,
  StreamsGroupHeartbeat: 88,
  StreamsGroupDescribe: 89,
  DescribeShareGroupOffsets: 90,
  AlterShareGroupOffsets: 91,
  DeleteShareGroupOffsets: 92,
} as const

export interface Api {
  readonly key: number
  readonly name: string
  readonly request: MessageDeclaration
  readonly response: MessageDeclaration
  readonly minVersion: number
  /** The latest stable version. The declaration may contain a later, unstable version. */
  readonly maxVersion: number
  readonly latestVersionUnstable: boolean
}

const declarations: readonly (readonly [MessageDeclaration, MessageDeclaration])[] = [
  [ProduceRequest, ProduceResponse],
  [FetchRequest, FetchResponse],
  [ListOffsetsRequest, ListOffsetsResponse],
  [MetadataRequest, MetadataResponse],
  [OffsetCommitRequest, OffsetCommitResponse],
  [OffsetFetchRequest, OffsetFetchResponse],
  [FindCoordinatorRequest, FindCoordinatorResponse],
  [JoinGroupRequest, JoinGroupResponse],
  [HeartbeatRequest, HeartbeatResponse],
  [LeaveGroupRequest, LeaveGroupResponse],
  [SyncGroupRequest, SyncGroupResponse],
  [DescribeGroupsRequest, DescribeGroupsResponse],
  [ListGroupsRequest, ListGroupsResponse],
  [SaslHandshakeRequest, SaslHandshakeResponse],
  [ApiVersionsRequest, ApiVersionsResponse],
  [CreateTopicsRequest, CreateTopicsResponse],
  [DeleteTopicsRequest, DeleteTopicsResponse],
  [DeleteRecordsRequest, DeleteRecordsResponse],
  [InitProducerIdRequest, InitProducerIdResponse],
  [OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse],
  [AddPartitionsToTxnRequest, AddPartitionsToTxnResponse],
  [AddOffsetsToTxnRequest, AddOffsetsToTxnResponse],
  [EndTxnRequest, EndTxnResponse],
  [WriteTxnMarkersRequest, WriteTxnMarkersResponse],
  [TxnOffsetCommitRequest, TxnOffsetCommitResponse],
  [DescribeConfigsRequest, DescribeConfigsResponse],
  [AlterConfigsRequest, AlterConfigsResponse],
  [DescribeLogDirsRequest, DescribeLogDirsResponse],
  [SaslAuthenticateRequest, SaslAuthenticateResponse],
  [CreatePartitionsRequest, CreatePartitionsResponse],
  [DeleteGroupsRequest, DeleteGroupsResponse],
  [ElectLeadersRequest, ElectLeadersResponse],
  [IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse],
  [OffsetDeleteRequest, OffsetDeleteResponse],
  [DescribeClusterRequest, DescribeClusterResponse],
  [DescribeProducersRequest, DescribeProducersResponse],
  [ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse],
  [ListConfigResourcesRequest, ListConfigResourcesResponse],
  [DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse],
]

/** All declared APIs, by API key. */
export const apis: ReadonlyMap<number, Api> = new Map(
  declarations.map(([request, response]) => {
    const { min, max } = parseVersions(request.versions)
    const latestVersionUnstable = request.latestVersionUnstable ?? false
    const key = request.apiKey!
    const name = request.name.slice(0, -'Request'.length)
    const maxVersion = latestVersionUnstable ? max - 1 : max
    return [key, { key, name, request, response, minVersion: min, maxVersion, latestVersionUnstable }]
  }),
)
