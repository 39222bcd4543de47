import { defineErrors } from 'millrace/connect'

/** The errors of the PostgreSQL connector. */
export const errors = defineErrors({
  MR_PG_CONNECT_FAILED: {
    message: 'cannot connect to PostgreSQL at {host}:{port}: {cause}',
    fix: 'Check that the server is running, and that database.hostname and database.port are correct. The connector retries automatically.',
    retriable: true,
  },
  MR_PG_TOO_MANY_CONNECTIONS: {
    message: 'PostgreSQL at {host}:{port} has no free connection for user {user}: {cause}',
    fix: 'Close unused connections, or raise max_connections or the CONNECTION LIMIT of the role or database. The connector needs up to four connections. It retries automatically.',
    retriable: true,
  },
  MR_PG_AUTH_FAILED: {
    message: 'PostgreSQL at {host}:{port} rejected user {user}: {cause}',
    fix: 'Correct database.user and database.password. The server log says which line of pg_hba.conf applies.',
  },
  MR_PG_HBA: {
    message: 'pg_hba.conf of PostgreSQL at {host}:{port} does not allow user {user} to connect: {cause}',
    fix: 'Add a line to pg_hba.conf for this user, this database and the address of the worker. Then run SELECT pg_reload_conf(). If the cause says "no encryption" or "SSL off", set database.sslmode=require instead.',
  },
  MR_PG_LOGIN_DENIED: {
    message: 'user {user} may not connect to database {database} at {host}:{port}: {cause}',
    fix: 'Run ALTER ROLE ... LOGIN, or GRANT CONNECT ON DATABASE ... TO the user, as the cause says.',
  },
  MR_PG_DATABASE_MISSING: {
    message: 'database {database} does not exist at {host}:{port}',
    fix: 'Correct database.dbname, or create the database.',
  },
  MR_PG_SSL: {
    message: 'cannot open a TLS connection to {host}:{port} with database.sslmode={mode}: {cause}',
    fix: 'Correct database.sslmode, database.sslrootcert, database.sslcert, database.sslkey or database.sslpassword, as the cause says.',
  },
  MR_PG_WAL_LEVEL: {
    message: "the server's wal_level is '{level}', but logical decoding requires 'logical'",
    fix: "Run ALTER SYSTEM SET wal_level = 'logical' and restart PostgreSQL. On a managed service, enable its logical replication setting.",
  },
  MR_PG_NO_REPLICATION_PRIVILEGE: {
    message: 'user {user} may not use replication',
    fix: 'Run ALTER ROLE {user} WITH REPLICATION. On a managed service, grant its replication role.',
  },
  MR_PG_PERMISSION_DENIED: {
    message: 'PostgreSQL denied {what}: {cause}',
    fix: 'Grant the missing privilege to database.user, or ask an administrator to do this step before the connector starts.',
  },
  MR_PG_SLOT_MISSING: {
    message: 'replication slot {slot} no longer exists{why}, so changes since {since} may be lost',
    fix: 'To recover, set snapshot.mode=when_needed, or reset the offsets of the connector. The connector then recreates the slot and takes a new snapshot. To avoid this error, find out who drops the slot. With slot.drop.on.stop=true, the connector itself drops the slot at each stop: set slot.drop.on.stop=false to keep the slot, or snapshot.mode=when_needed or always to take a new snapshot at each start.',
  },
  MR_PG_SLOT_INVALIDATED: {
    message: 'replication slot {slot} can no longer be used: {cause}',
    fix: 'Usually the server removed WAL that the slot still needed (max_slot_wal_keep_size, idle_replication_slot_timeout), or a failover invalidated the slot. Set snapshot.mode=when_needed to recreate the slot and take a new snapshot. Or drop the slot and reset the offsets of the connector.',
  },
  MR_PG_SLOT_IN_USE: {
    message: 'replication slot {slot} is in use by another connection (pid {pid})',
    fix: 'Stop the other consumer, or give this connector its own slot.name. If that connection has just closed, the server will soon release the slot. The connector retries automatically.',
    retriable: true,
  },
  MR_PG_SLOT_WRONG: {
    message: 'replication slot {slot} cannot be used for database {database}: it is {what}',
    fix: 'Choose another slot.name, or drop that slot if nothing uses it.',
  },
  MR_PG_SLOTS_EXHAUSTED: {
    message: 'PostgreSQL has no free replication slot or WAL sender: {cause}',
    fix: 'Drop unused slots (see pg_replication_slots), or raise max_replication_slots or max_wal_senders and restart PostgreSQL.',
  },
  MR_PG_OFFSET_MISMATCH: {
    message:
      'replication slot {slot} is confirmed up to {slotLsn}, past the offset {lsn}, so the changes in between are missing: another client read, advanced or recreated the slot',
    fix: 'Make sure that nothing else uses the slot. To take a new snapshot, reset the offsets of the connector or set snapshot.mode=when_needed. To continue without the missing changes, set offset.mismatch.strategy=trust_slot.',
  },
  MR_PG_OFFSET_STRAYED: {
    message: 'the committed offset does not belong to this database: {why}',
    fix: 'The database was restored from a backup, replaced, or failed over to a standby that was behind. Check that the connector reads the right server. To take a new snapshot, reset the offsets of the connector or set snapshot.mode=when_needed. To resume from the position of slot {slot}, set offset.mismatch.strategy=trust_slot.',
  },
  MR_PG_OFFSET_INVALID: {
    message: 'the offset is invalid: {what}',
    fix: 'Send an offset as GET /connectors/<name>/offsets shows it, or one that contains only "lsn", a WAL position as a whole number.',
  },
  MR_PG_STANDBY_BEHIND: {
    message: 'the standby has replayed its WAL only up to {end}, but the offset is {lsn}',
    fix: 'The connector retries until the standby has caught up. If this continues, check the replication of the standby.',
    retriable: true,
  },
  MR_PG_PUBLICATION_MISSING: {
    message: 'publication {publication} does not exist',
    fix: 'Create it (CREATE PUBLICATION {publication} FOR TABLE ...), or set publication.autocreate.mode to filtered or all_tables. If the publication does exist, the slot still contains changes from before the publication was created, and the server cannot decode them. In this case drop the slot, and set snapshot.mode=when_needed to take a new snapshot.',
  },
  MR_PG_NO_TABLES: {
    message: 'no table of database {database} matches the configuration ({filters})',
    fix: 'Correct table.include.list (regular expressions of schema.table), or create the table.',
  },
  MR_PG_PARTITIONS_LEFT_OUT: {
    message: 'changes to {tables} are published under the names of their partitions, which the configuration excludes',
    fix: 'Set publish.via.partition.root=true (an existing publication needs ALTER PUBLICATION ... SET (publish_via_partition_root = true)), or add the partitions to table.include.list.',
  },
  MR_PG_ROOT_LEFT_OUT: {
    message:
      'in publication {publication}, changes to {tables} have the name of their partitioned table, which the configuration excludes',
    fix: 'Add the partitioned table to table.include.list, or use a publication without publish_via_partition_root.',
  },
  MR_PG_TOO_MANY_TABLES: {
    message: '{count} tables match the configuration, more than guardrail.collections.max={max}',
    fix: 'Narrow table.include.list, or raise guardrail.collections.max.',
  },
  MR_PG_CONNECTION_LOST: {
    message: 'the connection to PostgreSQL was lost: {cause}',
    fix: 'The connector reconnects automatically and resumes where it stopped.',
    retriable: true,
  },
  MR_PG_UNAVAILABLE: {
    message: 'PostgreSQL cannot serve the connector at the moment: {cause}',
    fix: 'The connector retries automatically and resumes where it stopped. If this continues, the server is short of a resource (disk, memory, connections): see the cause and the server log.',
    retriable: true,
  },
  MR_PG_CANCELED: {
    message: 'the server canceled {what}: {cause}',
    fix: 'A server timeout or an administrator canceled it. The connector retries automatically. Check statement_timeout and lock_timeout, also in database.initial.statements.',
    retriable: true,
  },
  MR_PG_RETRIES_EXHAUSTED: {
    message: 'gave up after {count} retries (errors.max.retries): {cause}',
    fix: 'Remove the cause, then restart the task. It resumes where it stopped.',
  },
  MR_PG_QUERY_FAILED: {
    message: 'PostgreSQL answered {sqlstate} to {what}: {cause}',
    fix: 'Correct the problem that the cause describes. The server log may contain details.',
  },
  MR_PG_INITIAL_STATEMENTS: {
    message: 'a statement of database.initial.statements failed with {sqlstate}: {cause}',
    fix: 'Correct database.initial.statements.',
  },
  MR_PG_ENCODING: {
    message: 'PostgreSQL cannot send {what} as UTF-8: {cause}',
    fix: 'The database contains text that is not valid in its encoding; SQL_ASCII, for example, accepts any bytes. Correct the value, or exclude its column: use column.exclude.list for the snapshot, and a column list in the publication for the stream.',
  },
  MR_PG_PROTOCOL: {
    message: 'unexpected bytes in the replication stream: {cause}',
    fix: 'If the server is PostgreSQL 10 or newer, this is a bug in Millrace: report it with the version of the server.',
  },
  MR_PG_VALUE: {
    message: 'cannot convert the value of {table}.{column} of type {type}: {cause}',
    fix: 'Set event.converting.failure.handling.mode=warn to continue without the value, or exclude the column (column.exclude.list).',
  },
  MR_PG_VALUE_REPLACED: {
    message: 'cannot represent the value of {table}.{column} of type {type}: {cause}; the event contains {instead}',
    fix: 'Choose a handling mode that can represent the value, exclude the column (column.exclude.list), or set event.converting.failure.handling.mode=fail to stop at such a value.',
  },
  MR_PG_UNSUPPORTED: {
    message: 'PostgreSQL {version} is not supported',
    fix: 'Use PostgreSQL 10 or newer. Older versions do not have the plugin pgoutput.',
  },
  MR_PG_SNAPSHOT_DENIED: {
    message: 'user {user} may not read table {table}: {cause}',
    fix: 'Grant SELECT on the table, and USAGE on its schema, to database.user; or exclude the table (table.exclude.list).',
  },
  MR_PG_SNAPSHOT_CHANGED: {
    message: 'table {table} was changed or dropped while the snapshot read it: {cause}',
    fix: 'The connector restarts the snapshot automatically. If this continues, check snapshot.select.statement.overrides.',
    retriable: true,
  },
  MR_PG_SNAPSHOT_OVERRIDE: {
    message: 'the query of snapshot.select.statement.overrides.{table} failed with {sqlstate}: {cause}',
    fix: 'Correct the query. It must return the columns of the table.',
  },
  MR_PG_SNAPSHOT_QUERY: {
    message: 'the snapshot of table {table} failed with {sqlstate}: {cause}',
    fix: 'Correct the problem that the cause describes. The server log may contain details. To continue without the table, exclude it (table.exclude.list).',
  },
})
