/**
 * Downloads the software that `.peer.test.ts` files compare with: Apache Kafka and its tools,
 * Connect, Debezium, kcat. This module uses mvn and apt-get, and stores the jars in `PEERS_HOME`
 * (default `~/.cache/peers`). If a pom has not changed, nothing is downloaded.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export const PEERS_HOME = process.env['PEERS_HOME'] ?? join(homedir(), '.cache', 'peers')
const here = import.meta.dirname

/**
 * Matches the libraries that the worker provides. A second copy in a plugin's class loader would
 * break the plugin.
 */
const IN_THE_WORKER =
  'connect-api,kafka-clients,slf4j-api,jakarta.ws.rs-api,lz4-java,snappy-java,zstd-jni,jackson-annotations,jackson-core,jackson-databind'

const PARTS = [
  { pom: 'kafka', into: 'kafka/libs', exclude: null },
  { pom: 'connect', into: 'connect/libs', exclude: null },
  { pom: 'connect-file', into: 'connect/plugins/connect-file', exclude: IN_THE_WORKER },
  { pom: 'jmx-exporter', into: 'jmx-exporter', exclude: null },
  { pom: 'debezium-postgres', into: 'connect/plugins/debezium-postgres', exclude: IN_THE_WORKER },
] as const

const say = (text: string) => process.stderr.write(`peers: ${text}\n`)
const has = (program: string, flag: string) => spawnSync(program, [flag], { stdio: 'ignore' }).status === 0

function run(program: string, args: readonly string[]): void {
  const done = spawnSync(program, args, {
    stdio: ['ignore', 2, 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  if (done.status !== 0)
    throw new Error(`${program} ${args.join(' ')} ended with ${done.status ?? done.error?.message}`)
}

function fromSystemPackages(packages: readonly string[]): void {
  if (packages.length === 0) return
  if (process.getuid?.() !== 0 || !has('apt-get', '--version'))
    throw new Error(`install ${packages.join(' and ')} first`)
  say(`apt-get install ${packages.join(' ')}`)
  run('apt-get', ['update', '-qq'])
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages])
}

function jarsIn(folder: string): number {
  return existsSync(folder) ? readdirSync(folder).filter(f => f.endsWith('.jar')).length : 0
}

function fetchJars(pom: string, into: string, exclude: string | null): void {
  const target = join(PEERS_HOME, into)
  const args = exclude ? [`-DexcludeArtifactIds=${exclude}`] : []
  const key = createHash('sha256')
    .update(readFileSync(join(here, pom, 'pom.xml')))
    .update(args.join(' '))
    .digest('hex')
  const stamp = join(target, '.millrace-key')
  if (jarsIn(target) > 0 && existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return
  say(`fetching ${pom} ...`)
  const fresh = `${target}.new-${process.pid}`
  mkdirSync(fresh, { recursive: true })
  run('mvn', [
    '-q',
    '-B',
    '-f',
    join(here, pom, 'pom.xml'),
    'dependency:copy-dependencies',
    '-DincludeScope=runtime',
    `-DoutputDirectory=${fresh}`,
    ...args,
  ])
  writeFileSync(join(fresh, '.millrace-key'), key)
  rmSync(target, { recursive: true, force: true })
  renameSync(fresh, target)
  say(`${pom}: ${jarsIn(target)} jars`)
}

/** Downloads everything. Throws with the reason if something fails. */
export function setUpPeers(): void {
  const missing: string[] = []
  if (!has('java', '-version')) missing.push('openjdk-17-jdk-headless')
  if (!has('mvn', '-v')) missing.push('maven')
  if (!has('kcat', '-V')) missing.push('kcat')
  fromSystemPackages(missing)
  for (const part of PARTS) fetchJars(part.pom, part.into, part.exclude)
}

if (import.meta.main) {
  try {
    setUpPeers()
  } catch (error) {
    say(`cannot be had: ${(error as Error).message}`)
    process.exit(1)
  }
}
