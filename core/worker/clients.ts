import { createAdmin, createConsumer, createProducer, toClientOptions } from '../client/index.ts'
import type { Admin, Consumer, Producer } from '../client/types.ts'
import type { Logger } from '../common/log.ts'
import type { Props } from '../connect/props.ts'
import type { ClientKind } from './config/client-overrides.ts'

/** Returns the name under which the user has set a key, for example with a prefix. */
type NameOf = (key: string) => string

/**
 * Creates clients from Kafka properties. Tests pass their own implementation, in which an in-memory
 * log replaces the broker.
 */
export interface Clients {
  producer(props: Props, logger: Logger, nameOf?: NameOf): Producer
  consumer(props: Props, logger: Logger, nameOf?: NameOf): Consumer
  admin(props: Props, logger: Logger, nameOf?: NameOf): Admin
}

export const kafkaClients: Clients = {
  producer: (props, logger, nameOf) =>
    createProducer({ ...toClientOptions('producer', props, logger, nameOf), logger }),
  consumer: (props, logger, nameOf) =>
    createConsumer({ ...toClientOptions('consumer', props, logger, nameOf), logger }),
  admin: (props, logger, nameOf) => createAdmin({ ...toClientOptions('admin', props, logger, nameOf), logger }),
}

/**
 * Returns clients whose errors and warnings contain the names under which the user has set the
 * keys.
 */
export function withUserNames(clients: Clients, names: Readonly<Record<ClientKind, Props>>): Clients {
  const nameOf = (kind: ClientKind) => (key: string) => names[kind][key] ?? key
  return {
    producer: (props, logger) => clients.producer(props, logger, nameOf('producer')),
    consumer: (props, logger) => clients.consumer(props, logger, nameOf('consumer')),
    admin: (props, logger) => clients.admin(props, logger, nameOf('admin')),
  }
}
