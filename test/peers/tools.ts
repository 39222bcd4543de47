/**
 * Apache Kafka's command-line tools for `.peer.test.ts`, run with java from the downloaded jars.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { PEERS_HOME } from './setup.ts'

const T = 'org.apache.kafka.tools'

/** The classes of the tools, by their names in Kafka's bin/ without `kafka-` and `.sh`. */
const TOOLS = {
  topics: `${T}.TopicCommand`,
  'console-producer': `${T}.ConsoleProducer`,
  'console-consumer': `${T}.consumer.ConsoleConsumer`,
  'consumer-groups': `${T}.consumer.group.ConsumerGroupCommand`,
  groups: `${T}.GroupsCommand`,
  'producer-perf-test': `${T}.ProducerPerformance`,
  'consumer-perf-test': `${T}.ConsumerPerformance`,
  'e2e-latency': `${T}.EndToEndLatency`,
  'verifiable-producer': `${T}.VerifiableProducer`,
  'dump-log': `${T}.DumpLogSegments`,
  'get-offsets': `${T}.GetOffsetShell`,
  'delete-records': `${T}.DeleteRecordsCommand`,
  'log-dirs': `${T}.LogDirsCommand`,
  'leader-election': `${T}.LeaderElectionCommand`,
  cluster: `${T}.ClusterTool`,
  'broker-api-versions': `${T}.BrokerApiVersionsCommand`,
  transactions: `${T}.TransactionsCommand`,
  configs: 'kafka.admin.ConfigCommand',
} as const

export type KafkaTool = keyof typeof TOOLS

/** Returns the folder with Kafka's jars. Null if the jars or java are missing. */
export function findKafkaLibs(): string | null {
  const libs = join(PEERS_HOME, 'kafka/libs')
  if (!existsSync(libs) || !readdirSync(libs).some(f => f.startsWith('kafka-tools'))) return null
  return spawnSync('java', ['-version'], { stdio: 'ignore' }).status === 0 ? libs : null
}

/** Whether kcat is installed. */
export function hasKcat(): boolean {
  return spawnSync('kcat', ['-V'], { stdio: 'ignore' }).status === 0
}

/**
 * Returns whether to skip a peer test because its peer is missing. Prints a message in this case,
 * or throws if CI=true.
 */
export function skipWithout(what: string, there: boolean): boolean {
  if (there) return false
  if (process.env['CI'] === 'true') throw new Error(`${what} is missing: run test/peers/setup.ts first`)
  process.stderr.write(`SKIPPED: ${what} is not there (npm run test:peer fetches it)\n`)
  return true
}

export interface ToolResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

interface ToolOptions {
  /** The standard input of the tool. */
  readonly input?: string
  /** After this many milliseconds the tool is killed, and the call fails. Default: 60000. */
  readonly timeoutMs?: number
  /** Whether any exit code is accepted. Otherwise an exit code other than 0 is an error. */
  readonly anyCode?: boolean
}

const MAX_OUTPUT = 16 << 20

/** Runs a program to its end and returns its output. Throws with its output if it fails. */
export function runProgram(program: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolResult> {
  const { input = '', timeoutMs = 60_000, anyCode = false } = options
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const out = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', text => {
        if (out[name].length < MAX_OUTPUT) out[name] += text
      })
    }
    let late = false
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, timeoutMs)
    child.on('error', reject)
    // A tool may exit before it has read its input.
    child.stdin.on('error', () => child.stdin.destroy())
    child.stdin.end(input)
    child.on('close', code => {
      clearTimeout(timer)
      const what = `${program} ${args.slice(-8).join(' ')}`
      if (late) reject(new Error(`${what} did not end within ${timeoutMs} ms\n${out.stdout}\n${out.stderr}`))
      else if (code !== 0 && !anyCode) reject(new Error(`${what} ended with ${code}\n${out.stdout}\n${out.stderr}`))
      else resolve({ code: code ?? -1, ...out })
    })
  })
}

/** Runs one of Kafka's tools to its end. Throws with its output if it fails. */
export function runKafkaTool(name: KafkaTool, args: readonly string[], options?: ToolOptions): Promise<ToolResult> {
  const libs = findKafkaLibs()
  if (!libs) throw new Error('Kafka is missing: run test/peers/setup.ts first')
  const log4j = join(import.meta.dirname, 'kafka/log4j2-tools.xml')
  const logging = existsSync(log4j) ? [`-Dlog4j2.configurationFile=${log4j}`] : []
  const jvm = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', ...logging, '-cp', join(libs, '*')]
  return runProgram('java', [...jvm, TOOLS[name], ...args], options)
}
