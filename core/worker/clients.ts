import { createAdmin, createConsumer, createProducer, toClientOptions } from '../client/index.ts'
import type { Admin, Consumer, Producer } from '../client/types.ts'
import type { Logger } from '../common/log.ts'
import type { Props } from '../connect/props.ts'

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
