/**
 * Builds and tests the examples, and the plugins that `create-millrace-plugin` creates from them,
 * with the packed tarball of Millrace, as a plugin author does. Then runs a pipeline through all
 * four examples.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApi } from '../examples/http-source/test/api-server.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const dir = mkdtempSync(join(tmpdir(), 'millrace-examples-'))
const examples = ['http-source', 'jsonl-sink', 'add-field-transform', 'csv-converter']
const created = ['source', 'sink', 'transform', 'converter'].map(type => ({
  type,
  folder: `my-${type}`,
  className: `My${type}Plugin`,
}))
const packages = [...examples, ...created.map(c => c.folder)]
/** The environment for child processes, without the options that vitest sets. */
const env = { ...process.env, NODE_OPTIONS: '', MILLRACE_LOG_LEVEL: 'INFO' }

async function npm(folder: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await run('npm', args, { cwd: folder, env, maxBuffer: 1 << 26 })
    return stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`npm ${args.join(' ')} in ${folder} failed:\n${stdout}\n${stderr}`)
  }
}

/** Runs create-millrace-plugin, as `npm create millrace-plugin` does. */
const create = (...args: string[]) =>
  run(process.execPath, [join(root, 'create-millrace-plugin/bin.js'), ...args], { env })

beforeAll(async () => {
  await npm(root, 'pack', '--pack-destination', dir, '--silent')
  const [tarball] = readdirSync(dir).filter(name => name.endsWith('.tgz'))
  for (const example of examples) cpSync(join(root, 'examples', example), join(dir, example), { recursive: true })
  for (const { type, folder, className } of created)
    await create(join(dir, folder), '--type', type, '--class', className)
  for (const name of packages) {
    const path = join(dir, name, 'package.json')
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as { devDependencies: Record<string, string> }
    manifest.devDependencies['millrace'] = `file:../${tarball}`
    writeFileSync(path, JSON.stringify(manifest))
  }
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ private: true, workspaces: packages }))
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  await npm(dir, 'install', '--prefer-offline', ...quiet)
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test.each(packages)('%s builds and passes its tests with the packed millrace', async name => {
  await npm(join(dir, name), 'run', 'build', '--silent')
  await npm(join(dir, name), 'test', '--silent')
})

test.each([
  ['nodenext', 'nodenext'],
  ['bundler', 'esnext'],
])(
  'the types of all entry points compile with the strictest options and moduleResolution %s',
  async (resolution, module) => {
    const entryPoints = ['millrace', 'millrace/connect', 'millrace/connect/java', 'millrace/testing', 'millrace/client']
    const folder = mkdtempSync(join(dir, 'strict-'))
    writeFileSync(
      join(folder, 'strict.ts'),
      entryPoints.map((name, i) => `export * as m${i} from '${name}'\n`).join(''),
    )
    const options = [
      '--strict',
      '--exactOptionalPropertyTypes',
      '--skipLibCheck',
      'false',
      '--noEmit',
      '--types',
      'node',
    ]
    const modules = ['--target', 'es2024', '--moduleResolution', resolution, '--module', module]
    const tsc = join(dir, 'node_modules/.bin/tsc')
    const { stdout } = await run(tsc, [...options, ...modules, 'strict.ts'], { cwd: folder, env }).catch(error => error)
    expect(stdout).toBe('')
  },
)

test('the four examples work together in one pipeline', async () => {
  const api = await startApi(25)
  const out = mkdtempSync(join(dir, 'out-'))
  const platform = await start()
  try {
    await platform.create('items-in', {
      'connector.class': 'HttpSource',
      url: api.url,
      topic: 'items',
      'page.size': '10',
      'poll.interval.ms': '50',
      'value.converter': 'CsvConverter',
      'value.converter.columns': 'id,name,origin',
      transforms: 'origin',
      'transforms.origin.type': 'AddField',
      'transforms.origin.field': 'origin',
      'transforms.origin.text': 'api',
    })
    await platform.create('items-out', {
      'connector.class': 'JsonlSink',
      topics: 'items',
      directory: out,
      'value.converter': 'CsvConverter',
      'value.converter.columns': 'id,name,origin',
    })
    const values = () =>
      readdirSync(out).flatMap(name =>
        readFileSync(join(out, name), 'utf8')
          .split('\n')
          .filter(line => line !== '')
          .map(line => (JSON.parse(line) as { value: unknown }).value),
      )
    await expect.poll(() => values().length, { timeout: 30_000 }).toBe(25)
    expect(values()).toContainEqual({ id: '7', name: 'item 7', origin: 'api' })
    api.state.count = 30
    await expect.poll(() => values().length, { timeout: 30_000 }).toBe(30)
  } finally {
    await platform.stop()
    api.close()
  }
})

/** Starts the packed `millrace`, with the examples on its plugin path. */
async function start() {
  const millrace = join(dir, 'node_modules/millrace/dist/cli/bin.js')
  const options = ['--port', '0', '--rest-port', '0', '--data-dir', join(dir, 'data'), '--plugin-path', dir]
  const child: ChildProcess = spawn(process.execPath, [millrace, 'start', ...options], { env, stdio: 'pipe' })
  let url = ''
  const log: string[] = []
  for await (const line of createInterface({ input: child.stderr! })) {
    log.push(line)
    url = /REST (http:\S+?),/.exec(line)?.[1] ?? ''
    if (url) break
  }
  if (!url) throw new Error(`millrace did not start:\n${log.join('\n')}`)
  child.stderr!.resume()
  return {
    create: async (name: string, config: Record<string, string>) => {
      const response = await fetch(`${url}/connectors`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name, config }),
      })
      expect(response.status, await response.text()).toBe(201)
    },
    stop: async () => {
      const exit = once(child, 'exit')
      child.kill('SIGTERM')
      await exit
    },
  }
}

test.each([
  [[join(dir, 'bad'), '--type', 'pump'], 'the type "pump" does not exist'],
  [[join(dir, 'bad'), '--type', 'source', '--name', 'No Name'], 'is not a package name'],
  [[join(dir, 'bad'), '--type', 'source', '--class', 'x'], 'is not a class name'],
  [[root, '--type', 'source'], 'is not empty'],
  [[], 'usage: create-millrace-plugin'],
])('create-millrace-plugin rejects the arguments %o', async (args, message) => {
  await expect(create(...args)).rejects.toThrow(message)
})

test('the published create-millrace-plugin contains the examples as its templates', async () => {
  const text = await npm(join(root, 'create-millrace-plugin'), 'pack', '--dry-run', '--json')
  const [packed] = JSON.parse(text.slice(text.indexOf('['))) as { files: { path: string }[] }[]
  const paths = packed!.files.map(f => f.path)
  for (const example of examples) expect(paths).toContain(`templates/${example}/package.json`)
  expect(paths.filter(path => /node_modules|dist\//.test(path))).toEqual([])
})
