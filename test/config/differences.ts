/**
 * Deliberate differences of declarations from Kafka's and Connect's. docs/compatibility.md
 * describes them.
 */
export const DIFFERENCES: readonly RegExp[] = [
  // keys that only Millrace has
  /^broker (millrace\.|metrics\.listeners)/,
  /^\w+ worker (task\.isolation|task\.memory|task\.blocked|plugin\.inspection|rest\.secrets|rest\.request)/,
  /^(source|sink) errors\.restart\./,
  // defaults for a broker that is its own controller
  /^broker (node\.id|process\.roles|controller\.listener\.names): /,
  /^broker group\.coordinator\.rebalance\.protocols: /,
  // the loopback interface, because clients are not authenticated
  /^broker listeners: |^\w+ worker listeners: /,
  // internal in Kafka
  /^broker producer\.id\.expiration\.check\.interval\.ms: only here/,
  // Connect reads this key in the class of the policy, and those of TLS with a prefix
  /^\w+ worker connector\.client\.config\.override\.allowlist: only here/,
  /^\w+ worker ssl\.client\.auth: missing/,
  // a local broker, and no plugins
  /^\w+ worker (bootstrap\.servers|plugin\.path): LIST /,
  // clients
  /^consumer enable\.auto\.commit: /,
  /^consumer partition\.assignment\.strategy: LIST =range,cooperative-sticky /,
  /^admin bootstrap\.servers: /,
  /^(producer|consumer) (key|value)\.(de)?serializer: CLASS NULL /,
]

/** Keys whose values are checked differently than in Kafka or Connect. */
export const OTHER_CHECKS: ReadonlySet<string> = new Set([
  'bootstrap.servers', // must be host:port, which Kafka checks later
  'security.protocol', // only PLAINTEXT is supported
  'auto.offset.reset', // by_duration is not supported
  'partition.assignment.strategy', // only the known assignors
  'connections.max.idle.ms', // at least -1
  'socket.connection.setup.timeout.ms', // at least 1
  'session.timeout.ms', // at least 1
  'heartbeat.interval.ms', // at least 1
  'share.acknowledgement.mode', // the same values, in other words
  'share.acquire.mode',
  // rejected at once, although Kafka or Connect fails later
  'default.replication.factor',
  'task.shutdown.graceful.timeout.ms',
  'offset.flush.interval.ms',
  'offset.flush.timeout.ms',
  'rebalance.timeout.ms',
  'worker.sync.timeout.ms',
  'worker.unsync.backoff.ms',
  'group.id',
  'config.storage.topic',
  'offset.storage.topic',
  'status.storage.topic',
  'offset.storage.file.filename',
  'connector.client.config.override.policy',
  'listeners',
  'admin.listeners',
  'rest.advertised.listener',
  'rest.extension.classes',
  'transforms',
  'predicates',
  'plugin.path', // may be empty
  'response.http.headers.config', // checked when the worker starts
  'connect.protocol', // the same values, in other words
  'exactly.once.source.support', // enabled is not supported
  'inter.worker.key.generation.algorithm', // in Java, what the JVM supports
  'inter.worker.signature.algorithm',
  'inter.worker.verification.algorithms',
])
