import { createAdmin, createConsumer, createProducer, toClientOptions } from '../client/index.ts'
import type { Admin, Consumer, Producer } from '../client/types.ts'
import type { Logger } from '../common/log.ts'
import type { Props } from '../connect/props.ts'

/**
 * Creates clients from Kafka properties. Tests pass their own implementation, in which an in-memory
 * log replaces the broker.
 */
export interface Clients {
  producer(props: Props, logger: Logger): Producer
  consumer(props: Props, logger: Logger): Consumer
  admin(props: Props, logger: Logger): Admin
}

export const kafkaClients: Clients = {
  producer: (props, logger) => createProducer({ ...toClientOptions('producer', props, logger), logger }),
  consumer: (props, logger) => createConsumer({ ...toClientOptions('consumer', props, logger), logger }),
  admin: (props, logger) => createAdmin({ ...toClientOptions('admin', props, logger), logger }),
}
