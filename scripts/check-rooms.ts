/**
 * The check that enforces the rooms' arrows: who may import whom (ARCHITECTURE.md, "The house"). Reads the import
 * statements of every source file; prints each arrow that points the wrong way and exits 1.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const root = join(import.meta.dirname, '..')

/** What each room may import, besides itself and npm packages. A room is the longest prefix that matches. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'core/common': [],
  'core/protocol': ['core/common'],
  'core/client': ['core/common', 'core/protocol'],
  'core/broker': ['core/common', 'core/protocol'],
  'core/connect': ['core/common'],
  'core/worker': ['core/common', 'core/client', 'core/connect'],
  'connectors/cdc': [],
  'connectors/file': [],
  'connectors/elasticsearch': [],
  'connectors/postgres': ['connectors/cdc'],
  transforms: [],
  converters: [],
  cli: ['core/common', 'core/broker', 'core/worker'],
  bench: ['*'],
  test: ['*'],
  scripts: ['*'],
}
/** Rooms that others enter by one door only. */
const DOORS: Readonly<Record<string, string>> = { 'core/connect': 'core/connect/index.ts' }
/** Rooms that may go past the door: they are the runtime behind it. */
const PAST_THE_DOOR = new Set(['core/worker', 'test', 'bench', 'scripts'])

const rooms = Object.keys(ALLOWED).sort((a, b) => b.length - a.length)
const roomOf = (file: string) => rooms.find(room => file.startsWith(`${room}/`))
const faults: string[] = []
const files = globSync(['{core,connectors,transforms,converters,cli,bench,test,scripts}/**/*.ts'], { cwd: root })

for (const file of files) {
  const room = roomOf(file)
  if (!room) {
    faults.push(`${file}: stands in no known room (add it to scripts/check-rooms.ts)`)
    continue
  }
  // tests may start what they test against
  const isTest = /\.test\.ts$|\/(test-support|golden)\//.test(file)
  const text = readFileSync(join(root, file), 'utf8')
  for (const [, target] of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
    const to = relative(root, join(root, dirname(file), target!))
    const other = roomOf(to)
    if (other === room || isTest) continue
    const allowed = ALLOWED[room]!
    if (!other || !(allowed.includes('*') || allowed.includes(other))) {
      faults.push(`${file}: ${room} must not import ${to}`)
    } else if (DOORS[other] && to !== DOORS[other] && !PAST_THE_DOOR.has(room)) {
      faults.push(`${file}: ${other} is entered by ${DOORS[other]}, not by ${to}`)
    }
  }
}

for (const fault of faults) console.error(fault)
console.error(`rooms: ${files.length} files, ${faults.length} arrows the wrong way`)
process.exit(faults.length > 0 ? 1 : 0)
