import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../../common/free-port.ts'

const LOG4J = join(import.meta.dirname, '../../../../test/peers/kafka/log4j2.xml')

export interface ApacheOptions {
  /**
   * Additional keys of server.properties. They override the default keys, because they come last in
   * the file.
   */
  readonly settings?: Readonly<Record<string, string>>
  /** Additional arguments of `kafka-storage format`. */
  readonly format?: readonly string[]
  /**
   * Whether `kafka-storage format --standalone` writes the quorum voters to the metadata. If false,
   * they are in `controller.quorum.voters`.
   */
  readonly standalone?: boolean
}

/**
 * A single Apache Kafka node. The test can start and stop it repeatedly with the same data
 * directory.
 */
export class ApacheKafka {
  readonly dataDir: string
  bootstrap = ''
  readonly #libs: string
  readonly #dir: string
  readonly #o: ApacheOptions
  readonly #output: string
  #process: ChildProcess | null = null
  #formatted = false
  /**
   * The controller's port. It is the same at every start, because the quorum metadata contains it
   * if `standalone` is true.
   */
  #controller = 0

  constructor(libs: string, dir: string, o: ApacheOptions = {}) {
    this.#libs = libs
    this.#o = o
    this.#dir = dir
    this.dataDir = join(dir, 'data')
    this.#output = join(dir, 'kafka.log')
    mkdirSync(dir, { recursive: true })
  }

  async start(): Promise<void> {
    this.#controller ||= await freePort()
    const [port, controller] = [await freePort(), this.#controller]
    this.bootstrap = `127.0.0.1:${port}`
    const file = join(this.#dir, 'server.properties')
    writeFileSync(
      file,
      `process.roles=broker,controller
node.id=1
${this.#o.standalone ? 'controller.quorum.bootstrap.servers=' : 'controller.quorum.voters=1@'}127.0.0.1:${controller}
listeners=PLAINTEXT://${this.bootstrap},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://${this.bootstrap}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=${this.dataDir}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
${Object.entries(this.#o.settings ?? {})
  .map(([key, value]) => `${key}=${value}\n`)
  .join('')}`,
    )
    const classes = ['-Xmx384m', `-Dlog4j2.configurationFile=${LOG4J}`, '-cp', join(this.#libs, '*')]
    if (!this.#formatted) {
      const args = [
        ...classes,
        'kafka.tools.StorageTool',
        'format',
        '-t',
        'AAAAAAAAQACAAAAAAAAAAQ',
        '-c',
        file,
        ...(this.#o.format ?? []),
      ]
      if (this.#o.standalone) args.push('--standalone')
      const done = spawnSync('java', args, { encoding: 'utf8' })
      if (done.status !== 0) throw new Error(`formatting failed: ${done.stdout}${done.stderr}`)
      this.#formatted = true
    }
    writeFileSync(this.#output, '')
    const child = spawn('java', [...classes, 'kafka.Kafka', file], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process = child
    const started = Promise.withResolvers<void>()
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text: Buffer) => {
        appendFileSync(this.#output, text)
        if (text.includes('Kafka Server started')) started.resolve()
      })
    }
    child.once('exit', code => started.reject(new Error(`Kafka ended with ${code}: ${this.output().slice(-3000)}`)))
    await started.promise
  }

  /** Returns what Kafka has written to stdout and stderr since the last start. */
  output(): string {
    return readFileSync(this.#output, 'utf8')
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#process
    if (child === null || child.exitCode !== null) return
    this.#process = null
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
}
