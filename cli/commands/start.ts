import { accessSync, constants } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Broker, startBroker } from '../../core/broker/broker.ts'
import { MillraceError, messageOf } from '../../core/common/errors/error-table.ts'
import { isTaken } from '../../core/common/free-port.ts'
import { LOG_LEVELS, logFormat, setLogSink } from '../../core/common/log.ts'
import { LogOutput } from '../../core/common/logging/output.ts'
import { droppedEntry, logWriter } from '../../core/common/logging/writer.ts'
import { makeDirs } from '../../core/common/make-dirs.ts'
import { startWorker } from '../../core/worker/worker.ts'
import { errors } from '../errors.ts'
import { type Lifecycle, serve } from '../lifecycle.ts'
import { report } from '../report.ts'

export interface StartOptions {
  readonly demo?: boolean
  readonly dataDir: string
  readonly port: number
  readonly restPort: number
  /** The directories that contain plugins. */
  readonly pluginPath?: readonly string[]
  /**
   * The port of the metrics. Default: `METRICS_PORT`, or any free port if `METRICS_PORT` is in use.
   */
  readonly metricsPort?: number
}

/** The port on which JMX exporters usually serve the metrics of a broker. */
const METRICS_PORT = 9404

const say = (text: string) => report(text)

function prepareDataDir(path: string): void {
  try {
    makeDirs(path)
    accessSync(path, constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw errors.create('MR_CLI_DATA_DIR', { path, cause: messageOf(cause) }, { cause })
  }
}

async function checkPort(port: number, option: string): Promise<void> {
  let taken: boolean
  try {
    taken = await isTaken(port)
  } catch (cause) {
    throw errors.create('MR_CLI_PORT_DENIED', { port, option, cause: messageOf(cause) }, { cause })
  }
  if (taken) throw errors.create('MR_CLI_PORT_TAKEN', { port, option })
}

/**
 * Sends the log to a file, because the demo uses the screen. Errors are shown on the screen too.
 */
function logToFile(path: string, life: Lifecycle): void {
  const onError = (error: Error) => {
    setLogSink(null)
    report(`writing the log ${path} failed: ${error.message}. The log continues on the terminal.`, 'ERROR')
  }
  const onDropped = (count: number) => sink(droppedEntry(count))
  let output: LogOutput
  try {
    output = new LogOutput(path, { onError, onDropped })
  } catch (error) {
    onError(error as Error)
    return
  }
  const sink = logWriter(logFormat(), output)
  setLogSink(entry => {
    sink(entry)
    if (LOG_LEVELS.indexOf(entry.level) >= LOG_LEVELS.indexOf('ERROR'))
      report(`${entry.context}${entry.message}`, 'ERROR')
  })
  life.addFirst('the log', async () => {
    setLogSink(null)
    output.end()
  })
}

/**
 * Starts the broker of `millrace start`. If the default port of the metrics is in use, the broker
 * serves them on any free port.
 */
async function startOwnBroker(dataDir: string, { port, metricsPort }: StartOptions): Promise<Broker> {
  const start = (metrics: number) =>
    startBroker({
      listeners: `PLAINTEXT://127.0.0.1:${port}`,
      'metrics.listeners': `http://127.0.0.1:${metrics}`,
      'log.dirs': join(dataDir, 'logs'),
      'offsets.topic.replication.factor': '1',
      // Eight partitions are enough for one worker and a few groups. Kafka's default of 50 would
      // create 50 directories.
      'offsets.topic.num.partitions': '8',
      'group.initial.rebalance.delay.ms': '0',
    })
  if (metricsPort !== undefined) return start(metricsPort)
  try {
    return await start((await isTaken(METRICS_PORT)) ? 0 : METRICS_PORT)
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'MR_BROKER_METRICS_LISTEN') throw error
    return start(0)
  }
}

/**
 * Returns the configuration of a worker in the broker's process. Other settings have Connect's
 * defaults.
 */
function workerProperties(brokerPort: number, restPort: number): Record<string, string> {
  return {
    'bootstrap.servers': `127.0.0.1:${brokerPort}`,
    'group.id': 'millrace',
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'config.storage.topic': 'connect-configs',
    'config.storage.replication.factor': '1',
    'offset.storage.topic': 'connect-offsets',
    'offset.storage.replication.factor': '1',
    'status.storage.topic': 'connect-status',
    'status.storage.replication.factor': '1',
    'offset.flush.interval.ms': '1000',
    // After a kill -9, sinks wait until their old group members time out. Kafka's default is 45 s.
    'consumer.session.timeout.ms': '10000',
    listeners: `http://127.0.0.1:${restPort}`,
    'rest.advertised.host.name': '127.0.0.1',
  }
}

/** Runs `millrace start`: a broker and a worker in one process, with or without the demo. */
export async function start(options: StartOptions): Promise<void> {
  const began = performance.now()
  const dataDir = resolve(options.dataDir)
  const logFile = join(dataDir, 'millrace.log')
  await serve(async life => {
    prepareDataDir(dataDir)
    await checkPort(options.port, '--port')
    await checkPort(options.restPort, '--rest-port')
    if (options.metricsPort !== undefined) await checkPort(options.metricsPort, '--metrics-port')
    if (options.demo) logToFile(logFile, life)

    if (options.demo) say('starting the broker')
    const broker = await startOwnBroker(dataDir, options)
    life.add('the broker', () => broker.close())
    if (options.demo) say('starting the worker')
    const properties = {
      ...workerProperties(broker.port, options.restPort),
      'plugin.path': (options.pluginPath ?? []).map(folder => resolve(folder)).join(','),
    }
    const worker = await startWorker(properties, {
      mode: 'distributed',
      signal: life.signal,
    })
    life.add('the worker', () => worker.close())
    const metricsUrls = [...broker.metricsUrls, `${worker.restUrl}/metrics`]
    if (!options.demo) {
      say(
        `broker 127.0.0.1:${broker.port}, REST ${worker.restUrl}, metrics ${metricsUrls.join(' ')}, data in ${dataDir}; Ctrl-C stops`,
      )
      return
    }
    const { demoStates, startDemo } = await import('../demo/demo.ts')
    const { screen } = await import('../demo/screen.ts')
    const demo = await startDemo({ dataDir, restUrl: worker.restUrl, life, progress: say })
    const states = await demoStates(demo, worker.restUrl, life.signal)
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    process.stdout.write(
      screen({
        brokerPort: broker.port,
        restUrl: worker.restUrl,
        metricsUrls,
        dataDir,
        logFile,
        seconds,
        demo,
        states,
      }),
    )
    void life.stopped.then(() => say('stopping ...'))
  })
}
