import { defineErrors } from '../common/errors/error-table.ts'

/** What the broker says when it cannot start or go on. */
export const brokerErrors = defineErrors({
  MR_BROKER_CONFIG: {
    message: 'The broker cannot use its configuration: {what}',
    fix: 'Correct the named keys in server.properties and start again.',
  },
  MR_BROKER_PORT_TAKEN: {
    message: 'Cannot listen on {host}:{port}: the port is taken',
    fix: 'Stop the program that uses it, or choose another port in listeners.',
  },
  MR_BROKER_LISTEN: {
    message: 'Cannot listen on {host}:{port}: {cause}',
    fix: 'Choose an address of this machine and a port that you may use in listeners.',
  },
  MR_BROKER_DIR_UNWRITABLE: {
    message: 'Cannot write to the log directory {dir}: {cause}',
    fix: 'Make it writable for this user, or choose another one in log.dirs.',
  },
  MR_BROKER_DIR_LOCKED: {
    message: 'The log directory {dir} is in use by another broker, process {pid}',
    fix: 'Stop that one first, or choose another directory in log.dirs.',
  },
  MR_BROKER_DIR_LOCKED_ELSEWHERE: {
    message:
      'The log directory {dir} is in use by another broker: process {pid} on host {host} (another machine or container) keeps renewing its lock',
    fix: 'Stop that broker, or choose another directory in log.dirs. Two brokers must never share a directory.',
  },
  MR_BROKER_META_PROPERTIES: {
    message: 'The log directory {dir} cannot be used: {what}',
    fix: 'Start with the node.id and directories that it was made with, or choose another directory in log.dirs.',
  },
  MR_BROKER_META_MALFORMED: {
    message: '{file}, line {line}: {what}',
    fix: 'Put the file back from a backup. Without one delete this file alone: it is made anew, with new ids, and the topics and records stay.',
  },
  MR_BROKER_METADATA_CORRUPT: {
    message: 'The metadata log in {dir} cannot be read at offset {offset}: {cause}',
    fix: 'Restore the directory __cluster_metadata-0 from a backup; kafka-dump-log --cluster-metadata-decoder shows what is in it.',
  },
  MR_BROKER_METADATA_SNAPSHOT: {
    message: 'The metadata log in {dir} is incomplete: it {what}',
    fix: 'Restore the newest .checkpoint file, or the whole directory __cluster_metadata-0, from a backup. Do not delete the directory: it holds all topics and their configs.',
  },
  MR_BROKER_METADATA_WRITE: {
    message: 'Cannot write to the metadata log: {cause}',
    fix: 'Check the disk of the metadata log directory; the broker takes no changes until it is started again.',
  },
  MR_BROKER_BAD_REQUEST: {
    message: 'The request cannot be read: {what}',
    fix: 'Check that the client speaks the Kafka protocol, and socket.request.max.bytes if its requests are meant to be so large.',
  },
  MR_BROKER_UNSUPPORTED_API: {
    message: 'The request asks for {api} version {version}, which is not served',
    fix: 'Use a client that asks ApiVersions first, as Kafka clients since 0.10 do.',
  },
})
