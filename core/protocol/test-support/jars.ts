import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { inflateRawSync } from 'node:zlib'

/**
 * Returns the folder with Apache Kafka's jars. Searches the folder of KAFKA_CLIENTS_JAR,
 * PEERS_HOME, and the cache folder of npm. Returns null if no folder contains them.
 */
export function kafkaLibs(): string | null {
  const given = process.env['KAFKA_CLIENTS_JAR']
  const places = [
    given ? dirname(given) : '',
    join(process.env['PEERS_HOME'] ?? join(homedir(), '.cache', 'peers'), 'kafka', 'libs'),
    join(import.meta.dirname, '../../../node_modules/.cache/kafka'),
  ]
  return places.find(place => place !== '' && jarIn(place, 'kafka-clients') !== null) ?? null
}

/**
 * Like `kafkaLibs`, for tests that are skipped without the jars. If there are no jars, prints a
 * notice, or throws an error if CI=true.
 */
export function kafkaLibsOrSkip(): string | null {
  const libs = kafkaLibs()
  if (libs) return libs
  const message = 'no kafka-clients jar: run `npm run test:peer`, or set KAFKA_CLIENTS_JAR'
  if (process.env['CI'] === 'true') throw new Error(message)
  process.stderr.write(`\n!!! SKIPPED, nothing was compared with Apache Kafka: ${message}\n\n`)
  return null
}

function jarIn(folder: string, name: string): string | null {
  if (!existsSync(folder)) return null
  const file = readdirSync(folder).find(f => f.startsWith(`${name}-4.`) && f.endsWith('.jar'))
  return file ? join(folder, file) : null
}

/** Returns the message definitions in a jar, by name. */
export function definitionsIn(libs: string, jar: string): Map<string, unknown> {
  const path = jarIn(libs, jar)
  const found = new Map<string, unknown>()
  if (!path) return found
  for (const [name, content] of readZip(path, /^common\/(message|metadata)\/\w+\.json$/)) {
    const definition: unknown = JSON.parse(content.toString('utf8').replace(/^\s*\/\/.*$/gm, ''))
    found.set(nameOf(definition) ?? name, definition)
  }
  return found
}

function nameOf(definition: unknown): string | null {
  return typeof definition === 'object' && definition !== null && 'name' in definition ? String(definition.name) : null
}

/**
 * Yields the entries of a zip file whose names match (PKWARE APPNOTE: end record, central
 * directory, local headers).
 */
function* readZip(path: string, wanted: RegExp): Generator<[string, Buffer]> {
  const zip = readFileSync(path)
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
  let at = zip.readUInt32LE(end + 16)
  for (let n = zip.readUInt16LE(end + 10); n > 0; n--) {
    const nameLength = zip.readUInt16LE(at + 28)
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength)
    if (wanted.test(name)) {
      const local = zip.readUInt32LE(at + 42)
      const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
      const data = zip.subarray(start, start + zip.readUInt32LE(at + 20))
      yield [name, zip.readUInt16LE(at + 10) === 0 ? data : inflateRawSync(data)]
    }
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
  }
}

/** Returns whether Java is installed. */
export function hasJava(): boolean {
  const done: SpawnSyncReturns<Buffer> = spawnSync('java', ['-version'], { stdio: 'ignore' })
  return done.status === 0
}

/**
 * Runs a Java source file with Kafka's classes, and returns the lines that it prints. A relative
 * path starts at this folder. The program must print one line for each input line.
 */
export function runJava(libs: string, file: string, args: readonly string[], lines: readonly string[]): string[] {
  const out = execFileSync('java', ['-Xmx256m', '-cp', join(libs, '*'), resolve(import.meta.dirname, file), ...args], {
    input: lines.map(line => `${line}\n`).join(''),
    maxBuffer: 256 << 20,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  return out.toString('utf8').trimEnd().split('\n')
}
