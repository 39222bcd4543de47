import { type ConfigValues, defineConfig, nonEmpty, oneOf, range } from 'millrace/connect'

export const sourceConfig = defineConfig({
  file: {
    type: 'STRING',
    default: null,
    importance: 'HIGH',
    documentation: 'The file to read, line by line; standard input where there is none.',
  },
  topic: {
    type: 'STRING',
    validator: nonEmpty,
    importance: 'HIGH',
    documentation: 'The topic that the lines go to.',
  },
  'batch.size': {
    type: 'INT',
    default: 2000,
    validator: range(1),
    importance: 'LOW',
    documentation: 'Lines that one poll returns at most.',
  },
  'max.line.bytes': {
    type: 'INT',
    default: 8_388_608,
    validator: range(1, 268_435_456),
    importance: 'LOW',
    documentation:
      'The maximum length of a line. A longer line fails the task, or is skipped with errors.tolerance=all. Millrace only.',
  },
})

export const sinkConfig = defineConfig({
  file: {
    type: 'STRING',
    default: null,
    importance: 'HIGH',
    documentation: 'The file to append to, a line for each record; standard output where there is none.',
  },
  format: {
    type: 'STRING',
    default: 'text',
    validator: oneOf(['text', 'json'], { ignoreCase: true }),
    importance: 'LOW',
    documentation:
      "What a line holds: text is the value as Java's toString prints it, as Kafka's sink has it; json is the value as JSON. Millrace only.",
  },
})

export type SourceSettings = ConfigValues<typeof sourceConfig>
export type SinkSettings = ConfigValues<typeof sinkConfig>
