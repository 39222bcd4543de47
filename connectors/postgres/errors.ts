import { defineErrors } from '../../core/connect/index.ts'

/** The errors of the PostgreSQL connector. */
export const errors = defineErrors({
  MR_PG_CONNECT_FAILED: {
    message: 'cannot connect to PostgreSQL at {host}:{port}: {cause}',
    fix: 'Check that the server runs and that database.hostname and database.port are right; the connector goes on when it answers.',
    retriable: true,
  },
  MR_PG_AUTH_FAILED: {
    message: 'PostgreSQL at {host}:{port} refused user {user}: {cause}',
    fix: 'Correct database.user and database.password, or pg_hba.conf on the server.',
  },
  MR_PG_DATABASE_MISSING: {
    message: 'there is no database {database} at {host}:{port}',
    fix: 'Correct database.dbname or create the database.',
  },
  MR_PG_SSL: {
    message: 'no TLS connection to {host}:{port} with database.sslmode={mode}: {cause}',
    fix: 'Correct database.sslmode, database.sslrootcert, database.sslcert and database.sslkey.',
  },
  MR_PG_WAL_LEVEL: {
    message: "the server's wal_level is '{level}', and logical decoding needs 'logical'",
    fix: "Run ALTER SYSTEM SET wal_level = 'logical' and restart PostgreSQL (on a managed service: set its logical replication parameter).",
  },
  MR_PG_NO_REPLICATION_PRIVILEGE: {
    message: 'user {user} may not use replication',
    fix: 'Run ALTER ROLE {user} WITH REPLICATION (on a managed service: grant its replication role).',
  },
  MR_PG_PERMISSION_DENIED: {
    message: 'PostgreSQL denied {what}: {cause}',
    fix: 'Grant what is missing to the user of the connector, or have an administrator do this step beforehand.',
  },
  MR_PG_SLOT_MISSING: {
    message:
      'replication slot {slot}, from which the offset {lsn} goes on, does not exist any more: changes since then may be lost',
    fix: 'Set snapshot.mode=when_needed to read the tables anew, or reset the offsets of the connector; then find out who dropped the slot.',
  },
  MR_PG_SLOT_INVALIDATED: {
    message: 'replication slot {slot} cannot give any more changes: {cause}',
    fix: 'Usually the server removed WAL that the slot still needed (max_slot_wal_keep_size, idle_replication_slot_timeout), or a failover made the slot useless. Set snapshot.mode=when_needed to make the slot again and read the tables again. Or drop the slot and reset the offsets of the connector.',
  },
  MR_PG_SLOT_IN_USE: {
    message: 'replication slot {slot} is in use by another connection (pid {pid})',
    fix: 'Stop the other consumer, or give this connector a slot.name of its own. A connection that was just closed lets go of the slot within moments.',
    retriable: true,
  },
  MR_PG_SLOT_WRONG: {
    message: 'replication slot {slot} belongs to plugin {plugin} and database {database}',
    fix: 'Choose another slot.name, or drop that slot if nothing uses it.',
  },
  MR_PG_SLOTS_EXHAUSTED: {
    message: 'PostgreSQL has no free replication slot or WAL sender: {cause}',
    fix: 'Drop slots that nothing uses (pg_replication_slots), or raise max_replication_slots and max_wal_senders.',
  },
  MR_PG_OFFSET_MISMATCH: {
    message:
      'replication slot {slot} is confirmed up to {slotLsn}, past the offset {lsn}: somebody else read or moved the slot, or it was made again, and the changes in between do not come',
    fix: 'Make sure that nothing else uses the slot. Then reset the offsets of the connector, or set snapshot.mode=when_needed, to read the tables again; or set offset.mismatch.strategy=trust_slot to go on without these changes.',
  },
  MR_PG_OFFSET_STRAYED: {
    message: 'the committed offset does not belong to this database: {why}',
    fix: 'The database was restored from a backup, replaced, or failed over to a standby that was behind. Check that the connector reads the right server. Then reset the offsets of the connector, or set snapshot.mode=when_needed, to read the tables again; or set offset.mismatch.strategy=trust_slot to go on where slot {slot} is.',
  },
  MR_PG_STANDBY_BEHIND: {
    message: 'the standby has replayed its WAL up to {end}, and the offset is {lsn}',
    fix: 'The connector tries again until the standby has caught up.',
    retriable: true,
  },
  MR_PG_PUBLICATION_MISSING: {
    message: 'publication {publication} does not exist',
    fix: 'Create it (CREATE PUBLICATION {publication} FOR TABLE ...), or set publication.autocreate.mode to filtered or all_tables. If it exists, it was made after changes that the slot still holds, and the server cannot decode them: drop the slot, and set snapshot.mode=when_needed to read the tables again.',
  },
  MR_PG_NO_TABLES: {
    message: 'no table of database {database} matches the configuration ({filters})',
    fix: 'Correct table.include.list (regular expressions of schema.table), or create the table.',
  },
  MR_PG_PARTITIONS_LEFT_OUT: {
    message: 'changes of {tables} come under the names of their partitions, which the configuration leaves out',
    fix: 'Set publish.via.partition.root=true (an existing publication needs ALTER PUBLICATION ... SET (publish_via_partition_root = true)), or add the partitions to table.include.list.',
  },
  MR_PG_ROOT_LEFT_OUT: {
    message:
      'publication {publication} shows changes of {tables} under the name of the table over them, which the configuration leaves out',
    fix: 'Add that table to table.include.list, or use a publication without publish_via_partition_root.',
  },
  MR_PG_TOO_MANY_TABLES: {
    message: '{count} tables match the configuration, more than guardrail.collections.max={max}',
    fix: 'Narrow table.include.list or raise guardrail.collections.max.',
  },
  MR_PG_CONNECTION_LOST: {
    message: 'the connection to PostgreSQL was lost: {cause}',
    fix: 'The connector connects again by itself and goes on where it was.',
    retriable: true,
  },
  MR_PG_RETRIES_EXHAUSTED: {
    message: 'no connection after {count} tries (errors.max.retries): {cause}',
    fix: 'When the cause is gone, restart the task; it goes on where it was.',
  },
  MR_PG_QUERY_FAILED: {
    message: 'PostgreSQL answered {sqlstate} to {what}: {cause}',
    fix: 'See the message of the server; its log may say more.',
  },
  MR_PG_PROTOCOL: {
    message: 'unexpected bytes in the replication stream: {cause}',
    fix: 'This is a bug or a server that is not PostgreSQL 10 or newer: report it with the version of the server.',
  },
  MR_PG_VALUE: {
    message: 'cannot convert the value of {table}.{column} of type {type}: {cause}',
    fix: 'Set event.converting.failure.handling.mode=warn to continue without the value, or exclude the column (column.exclude.list).',
  },
  MR_PG_VALUE_REPLACED: {
    message: 'cannot show the value of {table}.{column} of type {type}: {cause}; the event has {instead}',
    fix: 'Choose a handling mode that can show it, exclude the column (column.exclude.list), or set event.converting.failure.handling.mode=fail to stop at such a value.',
  },
  MR_PG_UNSUPPORTED: {
    message: 'the server is PostgreSQL {version}',
    fix: 'Logical decoding with pgoutput needs PostgreSQL 10 or newer.',
  },
  MR_PG_SNAPSHOT_QUERY: {
    message: 'the snapshot of table {table} failed with {sqlstate}: {cause}',
    fix: 'If it is about rights, grant SELECT on the table to the user of the connector; or exclude the table (table.exclude.list).',
  },
})
