import { type ConfigValues, defineConfig, key, nonEmpty, oneOf } from 'millrace/connect'

export const sourceConfig = defineConfig({
  file: key.string({
    default: null,
    importance: 'HIGH',
    documentation: 'The path of the file to read. Each line becomes a record. Default: standard input.',
  }),
  topic: key.string({
    validator: nonEmpty,
    importance: 'HIGH',
    documentation: 'The topic to which the lines are sent.',
  }),
  'batch.size': key.int({
    default: 2000,
    min: 1,
    importance: 'LOW',
    documentation: 'The maximum number of lines that the task returns at a time. Values above 200 act like 200.',
  }),
  'max.line.bytes': key.int({
    default: 8_388_608,
    min: 1,
    max: 268_435_456,
    importance: 'LOW',
    documentation:
      'The maximum length of a line, in bytes. A longer line fails the task. With errors.tolerance=all it is skipped. Millrace only.',
  }),
})

export const sinkConfig = defineConfig({
  file: key.string({
    default: null,
    importance: 'HIGH',
    documentation: 'The path of the file to which records are appended, one line per record. Default: standard output.',
  }),
  format: key.string({
    default: 'text',
    validator: oneOf(['text', 'json'], { ignoreCase: true }),
    importance: 'LOW',
    documentation:
      "The format of a line. text: the text that Java's toString returns for the value, as in Kafka's file sink. json: the value as JSON. Millrace only.",
  }),
})

export type SourceSettings = ConfigValues<typeof sourceConfig>
export type SinkSettings = ConfigValues<typeof sinkConfig>
