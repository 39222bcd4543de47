import { defineErrors } from 'millrace/connect'

/** The errors of the file connectors. */
export const errors = defineErrors({
  MR_FILE_ABSENT: {
    message: 'the file {file} does not exist',
    fix: 'Create it. The source starts to read it as soon as it exists.',
    retriable: true,
  },
  MR_FILE_UNREADABLE: {
    message: 'the file {file} cannot be read: {cause}',
    fix: 'Correct its permissions or the path. The source retries automatically.',
    retriable: true,
  },
  MR_FILE_UNWRITABLE: {
    message: 'the file {file} cannot be written: {cause}',
    fix: 'Free disk space, or correct the permissions or the path. The sink retries automatically and loses nothing.',
    retriable: true,
  },
  MR_FILE_SYNC: {
    message: 'the last records written to {file} may be missing on the disk: {cause}',
    fix: 'Check the disk. The task restarts automatically and writes the records since the last commit again.',
    retriable: true,
  },
  MR_FILE_LINE_TOO_LONG: {
    message: 'the line that begins at byte {position} of {file} is longer than {limit} bytes',
    fix: 'Raise max.line.bytes and producer.override.max.request.size, or correct the file. With errors.tolerance=all the line is skipped.',
  },
  MR_FILE_OFFSET: {
    message: '{what}',
    fix: 'The partition must be {"filename": the file of the connector} and the offset {"position": bytes from the beginning of the file}.',
  },
})
