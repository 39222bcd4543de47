import { toClientOptions } from '../../../client/properties.ts'
import type { Props } from '../../../connect/props.ts'
import type { Clients } from '../../clients.ts'
import type { ClientKind } from '../../config/client-overrides.ts'

/** Creates the Kafka clients of a task. Tests pass their own implementation. */
export type TaskClients = {
  [K in keyof Clients]: (...args: Parameters<Clients[K]>) => ReturnType<Clients[K]> | Promise<ReturnType<Clients[K]>>
}

/**
 * Clients that connect to Kafka brokers. The modules of a client are loaded when the first client
 * of its kind is created: they are nearly half of the modules of a task thread, and most tasks need
 * one kind.
 */
export const kafkaTaskClients: TaskClients = {
  producer: async (props, logger, nameOf) => {
    const { createProducer } = await import('../../../client/producer/producer.ts')
    return createProducer({ ...toClientOptions('producer', props, logger, nameOf), logger })
  },
  consumer: async (props, logger, nameOf) => {
    const { createConsumer } = await import('../../../client/consumer/consumer.ts')
    return createConsumer({ ...toClientOptions('consumer', props, logger, nameOf), logger })
  },
  admin: async (props, logger, nameOf) => {
    const { createAdmin } = await import('../../../client/admin/admin.ts')
    return createAdmin({ ...toClientOptions('admin', props, logger, nameOf), logger })
  },
}

/**
 * Returns clients whose errors and warnings contain the names under which the user has set the
 * keys.
 */
export function withUserNames(clients: TaskClients, names: Readonly<Record<ClientKind, Props>>): TaskClients {
  const nameOf = (kind: ClientKind) => (key: string) => names[kind][key] ?? key
  return {
    producer: (props, logger) => clients.producer(props, logger, nameOf('producer')),
    consumer: (props, logger) => clients.consumer(props, logger, nameOf('consumer')),
    admin: (props, logger) => clients.admin(props, logger, nameOf('admin')),
  }
}
