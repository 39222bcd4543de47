/** Apache Kafka's command-line tools for `.peer.test.ts`, run by java out of the jars that test/peers fetches. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { PEERS_HOME } from './setup.ts'

const T = 'org.apache.kafka.tools'

/** Classes by the names that Kafka's bin/ gives them, without `kafka-` and `.sh`. */
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

/** The folder with Kafka's jars; null where they, or java, are not there. */
export function findKafkaLibs(): string | null {
  const libs = join(PEERS_HOME, 'kafka/libs')
  if (!existsSync(libs) || !readdirSync(libs).some(f => f.startsWith('kafka-tools'))) return null
  return spawnSync('java', ['-version'], { stdio: 'ignore' }).status === 0 ? libs : null
}

/** Whether kcat can be run. */
export function hasKcat(): boolean {
  return spawnSync('kcat', ['-V'], { stdio: 'ignore' }).status === 0
}

/**
 * Whether a peer test has to be skipped, which it says aloud. Under CI=true a missing peer is a failure, not a reason to skip.
 */
export function skipWithout(what: string, there: boolean): boolean {
  if (there) return false
  if (process.env['CI'] === 'true') throw new Error(`${what} is not there: run test/peers/setup.ts first`)
  process.stderr.write(`SKIPPED: ${what} is not there (npm run test:peer fetches it)\n`)
  return true
}

export interface ToolResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

interface ToolOptions {
  /** What the tool reads from its standard input. */
  readonly input?: string
  /** After so many milliseconds it is killed and the call fails. Default 60000. */
  readonly timeoutMs?: number
  /** Give a result for any exit code, where otherwise one other than 0 is an error. */
  readonly anyCode?: boolean
}

const MAX_OUTPUT = 16 << 20

/** Runs a program to its end and gives what it wrote. Throws when it fails, with its output. */
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
    // a tool that ends before it has read its input is no error of ours
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

/** Runs one of Kafka's tools to its end. Throws when it fails, with its output. */
export function runKafkaTool(name: KafkaTool, args: readonly string[], options?: ToolOptions): Promise<ToolResult> {
  const libs = findKafkaLibs()
  if (!libs) throw new Error('Kafka is not there: run test/peers/setup.ts first')
  const log4j = join(import.meta.dirname, 'kafka/log4j2-tools.xml')
  const logging = existsSync(log4j) ? [`-Dlog4j2.configurationFile=${log4j}`] : []
  const jvm = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', ...logging, '-cp', join(libs, '*')]
  return runProgram('java', [...jvm, TOOLS[name], ...args], options)
}
