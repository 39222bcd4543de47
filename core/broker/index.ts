export { type Broker, type BrokerOptions, startBroker } from './broker.ts'
export { BROKER_CONFIG, type BrokerConfig, parseBrokerConfig } from './config/broker-config.ts'
export { TOPIC_CONFIG } from './config/topic-config.ts'
