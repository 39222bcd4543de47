import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseProperties } from '../../common/config/properties.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import { makeDirs } from '../../common/make-dirs.ts'
import { brokerErrors } from '../errors.ts'

/**
 * The content of `meta.properties` in a log directory, version 1. It names the cluster and the node
 * to which the directory belongs.
 */
export interface MetaProperties {
  readonly clusterId: string
  readonly nodeId: number
  /** The id of the directory (KIP-858). */
  readonly directoryId: string
}

/**
 * Returns a random id as Kafka's Uuid.randomUuid does, in base64url. An id never begins with a
 * dash, because command lines would read it as an option.
 */
export function randomUuid(): string {
  for (;;) {
    const bytes = randomBytes(16)
    bytes[6] = (bytes[6]! & 0x0f) | 0x40
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    const text = bytes.toString('base64url')
    if (!text.startsWith('-')) return text
  }
}

const FILE = 'meta.properties'

function unusable(dir: string, what: string) {
  return brokerErrors.create('MR_BROKER_META_PROPERTIES', { dir, what })
}

function read(dir: string): MetaProperties | null {
  let text: string
  try {
    text = readFileSync(join(dir, FILE), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw unusable(dir, `cannot read its ${FILE}: ${messageOf(error)}`)
  }
  const p = valuesIn(dir, text)
  const version = p['version']
  const nodeId = p['node.id']
  const clusterId = p['cluster.id']
  if (version === undefined) throw malformed(dir, text, null, 'version=1 is missing')
  if (version !== '1')
    throw malformed(dir, text, 'version', `the version is ${version}, but this release reads version 1`)
  if (!clusterId) throw malformed(dir, text, 'cluster.id', 'cluster.id is missing')
  if (nodeId === undefined || !/^\d+$/.test(nodeId))
    throw malformed(
      dir,
      text,
      'node.id',
      nodeId === undefined ? 'node.id is missing' : `node.id is ${nodeId}, but must be 0 or a positive integer`,
    )
  return { clusterId, nodeId: Number(nodeId), directoryId: p['directory.id'] ?? '' }
}

/**
 * Parses the file. Throws if a line is malformed, because the other lines may then be damaged too.
 */
function valuesIn(dir: string, text: string): Record<string, string> {
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*([#!].*)?$/.test(line) || /^\s*[\w.]+\s*[=:]/.test(line)) continue
    const shown = JSON.stringify(line.length > 40 ? `${line.slice(0, 40)}...` : line)
    throw brokerErrors.create('MR_BROKER_META_MALFORMED', {
      file: join(dir, FILE),
      line: i + 1,
      what: `${shown} is not key=value`,
    })
  }
  return parseProperties(text)
}

/**
 * Returns an error that names the line of a key. If the key is null, names the last line, because
 * the key is missing.
 */
function malformed(dir: string, text: string, key: string | null, what: string) {
  const lines = text.replace(/\n$/, '').split('\n')
  const at = key === null ? -1 : lines.findIndex(l => l.trim().startsWith(key))
  return brokerErrors.create('MR_BROKER_META_MALFORMED', {
    file: join(dir, FILE),
    line: at < 0 ? lines.length : at + 1,
    what,
  })
}

function write(dir: string, m: MetaProperties): void {
  const text = `#\n#${new Date().toUTCString()}\ncluster.id=${m.clusterId}\ndirectory.id=${m.directoryId}\nnode.id=${m.nodeId}\nversion=1\n`
  const temporary = join(dir, `${FILE}.tmp`)
  writeFileSync(temporary, text, { flush: true })
  renameSync(temporary, join(dir, FILE))
}

function make(dir: string): void {
  try {
    makeDirs(dir)
  } catch (cause) {
    throw brokerErrors.create('MR_BROKER_DIR_UNWRITABLE', { dir, cause: messageOf(cause) }, { cause })
  }
}

/**
 * Reads `meta.properties` of every log directory. Formats directories without this file, as a new
 * cluster if no directory has the file. Throws MR_BROKER_META_PROPERTIES if the files do not match
 * each other or the node id.
 */
export function loadMetaProperties(dirs: readonly string[], nodeId: number): Map<string, MetaProperties> {
  for (const dir of dirs) make(dir)
  const found = new Map(dirs.map(dir => [dir, read(dir)] as const))
  const clusters = new Set([...found.values()].flatMap(m => (m ? [m.clusterId] : [])))
  if (clusters.size > 1)
    throw unusable(dirs.join(', '), `they belong to different clusters: ${[...clusters].join(', ')}`)
  const clusterId = [...clusters][0] ?? randomUuid()
  const result = new Map<string, MetaProperties>()
  for (const [dir, m] of found) {
    if (m && m.nodeId !== nodeId)
      throw unusable(dir, `node ${m.nodeId} created it, but the configuration has node.id=${nodeId}`)
    const complete = { clusterId, nodeId, directoryId: m?.directoryId || randomUuid() }
    if (m?.directoryId !== complete.directoryId) {
      try {
        write(dir, complete)
      } catch (cause) {
        throw brokerErrors.create('MR_BROKER_DIR_UNWRITABLE', { dir, cause: messageOf(cause) }, { cause })
      }
    }
    result.set(dir, complete)
  }
  return result
}
