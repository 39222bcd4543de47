export { createAdmin } from './admin/admin.ts'
export { createConsumer } from './consumer/consumer.ts'
export { clientErrors } from './errors.ts'
export { GroupCoordinator } from './group/coordinator.ts'
export {
  type GroupMember,
  type GroupProtocol,
  type Joined,
  Membership,
  type MembershipOptions,
} from './group/membership.ts'
export { createStandIn, type StandIn } from './group/stand-in.ts'
export { createProducer } from './producer/producer.ts'
export { toClientOptions } from './properties.ts'
export * from './types.ts'
