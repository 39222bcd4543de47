import { defineErrors } from '../common/errors/error-table.ts'

/** The errors of the broker itself. Responses to requests contain Kafka's error codes instead. */
export const brokerErrors = defineErrors({
  MR_BROKER_CONFIG: {
    message: 'The broker cannot use its configuration: {what}',
    fix: 'Correct the named keys in server.properties, then start the broker again.',
  },
  MR_BROKER_PORT_TAKEN: {
    message: 'Cannot listen on {host}:{port}: the port is in use',
    fix: 'Stop the program that uses the port, or choose another port in listeners.',
  },
  MR_BROKER_LISTEN: {
    message: 'Cannot listen on {host}:{port}: {cause}',
    fix: 'In listeners, choose an address of this machine and a port that this user may open.',
  },
  MR_BROKER_METRICS_LISTEN: {
    message: 'Cannot serve metrics at {address}: {cause}',
    fix: 'Choose an address of this machine and a free port in metrics.listeners.',
  },
  MR_BROKER_DIR_UNWRITABLE: {
    message: 'Cannot write to the log directory {dir}: {cause}',
    fix: 'Make the directory writable for this user, or choose another directory in log.dirs.',
  },
  MR_BROKER_DIR_LOCKED: {
    message: 'The log directory {dir} is in use by another broker, process {pid}',
    fix: 'Stop that broker, or choose another directory in log.dirs.',
  },
  MR_BROKER_DIR_LOCKED_ELSEWHERE: {
    message:
      'The log directory {dir} is in use by another broker: process {pid} on host {host} (another machine or container) still renews its lock',
    fix: 'Stop that broker, or choose another directory in log.dirs. Two brokers must never share a directory.',
  },
  MR_BROKER_META_PROPERTIES: {
    message: 'The log directory {dir} cannot be used: {what}',
    fix: 'Use the node.id and log.dirs that this broker was first started with, or choose another directory in log.dirs.',
  },
  MR_BROKER_META_MALFORMED: {
    message: '{file}, line {line}: {what}',
    fix: 'Restore the file from a backup. If there is no backup, delete only this file: the broker recreates it with new ids and keeps the topics and records.',
  },
  MR_BROKER_METADATA_CORRUPT: {
    message: 'The metadata log in {dir} cannot be read at offset {offset}: {cause}',
    fix: 'Restore the directory __cluster_metadata-0 from a backup. kafka-dump-log --cluster-metadata-decoder shows its content.',
  },
  MR_BROKER_METADATA_SNAPSHOT: {
    message: 'The metadata log in {dir} is incomplete: it {what}',
    fix: 'Restore the newest .checkpoint file, or the whole directory __cluster_metadata-0, from a backup. Do not delete the directory: it contains all topics and their configs.',
  },
  MR_BROKER_METADATA_WRITE: {
    message: 'Cannot write to the metadata log: {cause}',
    fix: 'Check the disk of the metadata log directory, then restart the broker. Until it restarts, the broker rejects all changes of metadata.',
  },
  MR_BROKER_BAD_REQUEST: {
    message: 'Cannot read the request: {what}',
    fix: 'Check that the client speaks the Kafka protocol. For larger Produce requests, raise socket.request.max.bytes. All other requests are limited to 16 MiB.',
  },
  MR_BROKER_UNSUPPORTED_API: {
    message: 'The request uses {api} version {version}, which is not supported',
    fix: 'Use a client that sends ApiVersions first, as Kafka clients have done since version 0.10.',
  },
})
