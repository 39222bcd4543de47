import { setFlagsFromString } from 'node:v8'
import { Command, InvalidArgumentError } from 'commander'
import { messageOf } from '../core/common/errors/error-table.ts'
import { LOG_LEVELS, setLogFormat } from '../core/common/log.ts'
import { LOG_FORMATS, type LogFormat } from '../core/common/logging/writer.ts'
import { VERSION } from '../core/common/version.ts'
import { errors } from './errors.ts'
import { logProcessErrors, report } from './report.ts'

function port(text: string): number {
  const n = Number(text)
  if (!/^\d+$/.test(text) || n > 65535)
    throw new InvalidArgumentError('a port is a number from 0 (any free port) to 65535.')
  return n
}

/** Returns the value of `--log-format`, and sets the log format at once. */
function chosenFormat(text: string): LogFormat {
  const format = LOG_FORMATS.find(f => f === text)
  if (!format) throw new InvalidArgumentError(`use one of ${LOG_FORMATS.join(', ')}.`)
  setLogFormat(format)
  return format
}

/** Throws if an environment variable for the log has an unknown value. */
function checkLogSettings(): void {
  const checks = { MILLRACE_LOG_LEVEL: LOG_LEVELS, MILLRACE_LOG_FORMAT: LOG_FORMATS }
  for (const [variable, values] of Object.entries(checks)) {
    const value = process.env[variable]
    if (!value || values.some(v => v.toLowerCase() === value.toLowerCase())) continue
    throw errors.create('MR_CLI_LOG_SETTING', { variable, value, values: values.join(', ') })
  }
}

const collect = (text: string, list: string[] = []) => [...list, text]

const LOG_FORMAT = ['--log-format <format>', 'text, or json for one JSON object per line', chosenFormat] as const

/**
 * Returns the command line. A command loads its modules when it runs, so that `--help` is instant.
 */
function program(): Command {
  const cli = new Command('millrace')
    .description(
      "Moves data between systems through Kafka topics: a broker that speaks Kafka's protocol, and Kafka Connect's workers, in one program.",
    )
    .version(VERSION)
    .showHelpAfterError('(add --help for the usage)')

  cli
    .command('start')
    .description('run a broker and a worker in one process')
    .option(
      '--demo',
      'also run a demo: a shop in Postgres whose orders change, and a pipeline that writes them to a file',
    )
    .option('--data-dir <dir>', 'the directory for all data', 'millrace-data')
    .option('--port <port>', "the broker's port on 127.0.0.1", port, 9092)
    .option('--rest-port <port>', "the REST API's port on 127.0.0.1", port, 8083)
    .option('--plugin-path <folder>', 'a folder with plugins; can be repeated', collect)
    .option(
      '--metrics-port <port>',
      "the port on 127.0.0.1 of the broker's metrics (default: 9404, or any free port if 9404 is in use)",
      port,
    )
    .option(...LOG_FORMAT)
    .action(async options => (await import('./commands/start.ts')).start(options))

  cli
    .command('broker')
    .description('run a broker')
    .argument('<server.properties>', "Kafka's broker configuration")
    .option('--override <key=value>', 'overrides a property of the file; can be repeated', collect)
    .option(...LOG_FORMAT)
    .action(async (file, options) => (await import('./commands/broker.ts')).broker(file, options))

  cli
    .command('connect-standalone')
    .description('run a single worker that reads its connectors from files and keeps source offsets in a file')
    .argument('<worker.properties>', "Connect's worker configuration")
    .argument('[connectors...]', 'connector configurations, .properties or .json')
    .option(...LOG_FORMAT)
    .action(async (file, connectors) => (await import('./commands/connect.ts')).connectStandalone(file, connectors))

  cli
    .command('connect-distributed')
    .description('run a worker whose connectors are configured over REST and stored in topics')
    .argument('<worker.properties>', "Connect's worker configuration")
    .option(...LOG_FORMAT)
    .action(async file => (await import('./commands/connect.ts')).connectDistributed(file))

  const demo = cli.command('demo').description('use a running demo')
  demo
    .command('sql')
    .description('run an SQL statement in the database of the demo')
    .argument('<statement>', 'such as "update orders set status = \'paid\' where id = 1"')
    .option('--data-dir <dir>', 'the data directory of the demo', 'millrace-data')
    .action(async (statement, options) => (await import('./demo/sql.ts')).runSql(statement, options))
  return cli
}

/**
 * V8 counts Buffers as part of the heap. Under load, it therefore collects a small heap so often
 * that garbage collection takes half of the CPU time. With this flag, V8 waits until the heap is
 * three times as large as after the last collection.
 */
const HEAP_GROWTH = '--heap-growing-percent=200'

/** Runs the command line. An error prints one line on stderr and sets the exit code 1. */
export async function main(argv: readonly string[]): Promise<void> {
  setFlagsFromString(HEAP_GROWTH)
  // A closed terminal or reader must not stop the pipelines.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  logProcessErrors()
  try {
    checkLogSettings()
    await program().parseAsync([...argv])
  } catch (error) {
    report(messageOf(error), 'ERROR')
    process.exitCode = 1
  }
}
