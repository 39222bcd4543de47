import { defineConfig } from '../../../common/config/define.ts'
import { range } from '../../../common/config/validators.ts'
import { int, list, long, str, unused } from '../keys.ts'

const INT_MAX = 2147483647

/** Listeners, connections and requests. */
export const NETWORK_CONFIG = defineConfig({
  listeners: list(
    'PLAINTEXT://127.0.0.1:9092',
    'HIGH',
    'The addresses to listen on: NAME://host:port, several with commas. An empty host is every interface. Unlike Kafka, the default is the loopback interface only.',
  ),
  'advertised.listeners': list(
    null,
    'HIGH',
    'The addresses that clients are told to use, where they differ from listeners. A port of 0 is the one that the listener got.',
  ),
  'listener.security.protocol.map': str(
    'SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
    'LOW',
    'The security protocol of each listener name, as NAME:PROTOCOL pairs.',
  ),
  'inter.broker.listener.name': str(
    null,
    'MEDIUM',
    'The listener that brokers use among themselves. Default: the first one.',
  ),
  'security.inter.broker.protocol': unused(
    str('PLAINTEXT', 'MEDIUM', 'The security protocol that brokers use among themselves.'),
  ),
  'socket.request.max.bytes': int(104857600, 'HIGH', 'The largest request that is accepted, in bytes.', range(1)),
  'socket.send.buffer.bytes': int(
    102400,
    'HIGH',
    "The socket's send buffer, in bytes; -1 is the operating system's default. Not used by Millrace.",
  ),
  'socket.receive.buffer.bytes': int(
    102400,
    'HIGH',
    "The socket's receive buffer, in bytes; -1 is the operating system's default. Not used by Millrace.",
  ),
  'socket.listen.backlog.size': int(
    50,
    'MEDIUM',
    'How many connections may wait to be accepted. Millrace lets 1024 wait at least, as far as net.core.somaxconn allows.',
    range(1),
  ),
  'connections.max.idle.ms': long(
    600000,
    'MEDIUM',
    'A connection without a request for so long is closed, in milliseconds; -1 is never.',
  ),
  'max.connections': int(
    INT_MAX,
    'MEDIUM',
    'How many connections the broker holds at most, over all listeners. Beyond it a new one is closed at once; those that are open stay.',
    range(0),
  ),
  'max.connections.per.ip': int(
    INT_MAX,
    'MEDIUM',
    'How many connections one address of clients may hold at most. Beyond it a new one is closed at once.',
    range(0),
  ),
  'max.connections.per.ip.overrides': str(
    '',
    'MEDIUM',
    'Limits of their own for some addresses, in place of max.connections.per.ip: address:count pairs with commas, such as 10.0.0.7:100,10.0.0.8:0.',
  ),
  'max.connection.creation.rate': int(
    INT_MAX,
    'MEDIUM',
    'The most connections a second. Not used by Millrace yet.',
    range(0),
  ),
  'queued.max.requests': int(
    500,
    'HIGH',
    'Not used: what waiting requests may hold is bounded in bytes, by queued.max.request.bytes.',
    range(1),
  ),
  'queued.max.request.bytes': long(
    -1,
    'MEDIUM',
    'How many bytes the unanswered requests of all connections may hold, whole or in part, before reading from them stops; -1 is 256 MiB, or one request of the largest size if that is more.',
  ),
  'request.timeout.ms': unused(int(30000, 'HIGH', 'How long a request between brokers may take, in milliseconds.')),
  'num.network.threads': int(3, 'HIGH', 'Not used: Millrace serves the network from one thread.', range(1)),
  'num.io.threads': int(8, 'HIGH', 'Not used: Millrace handles requests in one thread.', range(1)),
  'background.threads': int(10, 'HIGH', 'Not used: Millrace runs its upkeep in one thread.', range(1)),
})
