import { defineErrors } from 'millrace/connect'

/** What can go wrong with a file. */
export const errors = defineErrors({
  MR_FILE_ABSENT: {
    message: 'the file {file} is not there',
    fix: 'Create it; the source reads it as soon as it is there.',
    retriable: true,
  },
  MR_FILE_UNREADABLE: {
    message: 'the file {file} cannot be read: {cause}',
    fix: 'Correct its permissions or the path; the source tries again by itself.',
    retriable: true,
  },
  MR_FILE_UNWRITABLE: {
    message: 'the file {file} cannot be written: {cause}',
    fix: 'Free space, or correct its permissions or the path; the sink tries again by itself and nothing is lost.',
    retriable: true,
  },
  MR_FILE_SYNC: {
    message: 'what was written to {file} may not be on the disk: {cause}',
    fix: 'Look at the disk. The task starts again by itself and writes the records since the last commit again.',
    retriable: true,
  },
  MR_FILE_LINE_TOO_LONG: {
    message: 'the line that begins at byte {position} of {file} is longer than {limit} bytes',
    fix: 'Raise max.line.bytes, and producer.override.max.request.size with it, or correct the file. With errors.tolerance=all such lines are skipped.',
  },
  MR_FILE_OFFSET: {
    message: '{what}',
    fix: 'A partition is {"filename": the file of the connector} and an offset {"position": bytes from its beginning}.',
  },
})
