/**
 * Deliberate differences between our declarations and those of Kafka and Connect.
 * docs/compatibility.md describes these differences.
 */
export const DIFFERENCES: readonly RegExp[] = [
  // Only Millrace has these keys.
  /^broker (millrace\.|metrics\.listeners)/,
  /^\w+ worker (task\.isolation|task\.memory|task\.blocked|plugin\.inspection|rest\.secrets|rest\.request)/,
  /^(source|sink) errors\.restart\./,
  // These defaults are for a broker that is its own controller.
  /^broker (node\.id|process\.roles|controller\.listener\.names): /,
  /^broker group\.coordinator\.rebalance\.protocols: /,
  // The default is the loopback interface, because clients are not authenticated.
  /^broker listeners: |^\w+ worker listeners: /,
  // Kafka has this key too, but as an internal key.
  /^broker producer\.id\.expiration\.check\.interval\.ms: only here/,
  // Connect declares the allowlist in the class of the policy, and ssl.client.auth with a prefix.
  /^\w+ worker connector\.client\.config\.override\.allowlist: only here/,
  /^\w+ worker ssl\.client\.auth: missing/,
  // The defaults are a local broker and no plugin path.
  /^\w+ worker (bootstrap\.servers|plugin\.path): LIST /,
  // The differences of clients.
  /^consumer enable\.auto\.commit: /,
  /^consumer partition\.assignment\.strategy: LIST =range,cooperative-sticky /,
  /^admin bootstrap\.servers: /,
  /^(producer|consumer) (key|value)\.(de)?serializer: CLASS NULL /,
]

/** Keys whose values are checked differently than in Kafka or Connect. */
export const OTHER_CHECKS: ReadonlySet<string> = new Set([
  'bootstrap.servers', // must be host:port, which Kafka checks later
  'security.protocol', // only PLAINTEXT is supported
  'auto.offset.reset', // by_duration is not supported yet
  'partition.assignment.strategy', // only the known assignors
  'connections.max.idle.ms', // at least -1
  'socket.connection.setup.timeout.ms', // at least 1
  'session.timeout.ms', // at least 1
  'heartbeat.interval.ms', // at least 1
  'share.acknowledgement.mode', // the same values, described in other words
  'share.acquire.mode',
  // Invalid values are rejected at once. Kafka or Connect fails later.
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
  'connect.protocol', // the same values, described in other words
  'exactly.once.source.support', // enabled is not supported
  'inter.worker.key.generation.algorithm', // in Java, the algorithms that the JVM supports
  'inter.worker.signature.algorithm',
  'inter.worker.verification.algorithms',
])
