import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLogger } from '../../common/log.ts'
import { discoverPlugins } from './discovery.ts'
import { readManifest } from './manifest.ts'
import { PluginRegistry } from './registry.ts'
import { parseRange } from './versions.ts'

const logger = createLogger('test.plugins')
let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'millrace-plugins-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

async function pack(path: string, plugins: unknown, version = '1.0.0'): Promise<void> {
  const file = join(dir, path, 'package.json')
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, JSON.stringify({ name: path, version, millrace: { plugins } }))
}

const plugin = (type: string, name: string, ...aliases: string[]) => ({
  type,
  class: name,
  aliases,
  module: './index.js',
  export: name,
})

const file = plugin('source', 'FileSource', 'org.acme.FileSourceConnector')
const hoist = (side: string) => plugin('transformation', `Hoist$${side}`, `org.acme.transforms.Hoist$${side}`)

const own = (found: { plugins: readonly { location: string }[] }) =>
  found.plugins.filter(p => p.location.includes('millrace-plugins-'))

test('a package in a folder, in a scope or in node_modules is found, and only once if it is also linked', async () => {
  await pack('a', [file])
  await pack('@acme/b', [plugin('sink', 'B')])
  await pack('node_modules/c', [plugin('sink', 'C')])
  await pack('node_modules/@acme/d', [plugin('sink', 'D')])
  await symlink(join(dir, 'a'), join(dir, 'linked'))
  const found = await discoverPlugins([dir], logger)
  expect(own(found)).toMatchObject([
    { shortName: 'B' },
    { className: 'org.acme.FileSourceConnector', version: '1.0.0' },
    { shortName: 'D' },
    { shortName: 'C' },
  ])
  expect(found.rejected).toEqual([])
})

test('an entry of plugin.path can itself be a package, and packages without a manifest are skipped', async () => {
  await pack('one', [file])
  await mkdir(join(dir, 'one/sub'), { recursive: true })
  await writeFile(join(dir, 'one/sub/package.json'), '{"name":"other"}')
  expect(own(await discoverPlugins([join(dir, 'one')], logger))).toHaveLength(1)
})

test('an invalid package or folder is reported, and valid packages are still found', async () => {
  await pack('good', [file])
  await pack('bad', [{ type: 'nonsense' }])
  await mkdir(join(dir, 'broken'))
  await writeFile(join(dir, 'broken/package.json'), '{')
  const found = await discoverPlugins([dir, join(dir, 'absent')], logger)
  expect(own(found)).toHaveLength(1)
  expect(found.rejected.map(r => r.reason.match(/MR_\w+/)?.[0]).sort()).toEqual([
    'MR_PLUGIN_MANIFEST',
    'MR_PLUGIN_MANIFEST',
    'MR_PLUGIN_PATH',
  ])
})

test('a manifest that names a module outside of its package is rejected', () => {
  const json = { millrace: { plugins: [{ ...file, module: '../../etc/x.js' }] } }
  expect(() => readManifest(json, '/p')).toThrow(/outside of the package/)
})

function registry(): PluginRegistry {
  const at = (version: string, ...plugins: object[]) =>
    readManifest({ version, millrace: { plugins } }, `/p${version}`)!
  return new PluginRegistry([
    ...at('1.10.0', file),
    ...at('1.9.0', file, hoist('Key'), hoist('Value')),
    ...at(
      '2.0.0',
      plugin('converter', 'JsonConverter', 'org.acme.JsonConverter'),
      plugin('sink', 'Same', 'a.Same'),
      plugin('source', 'Same', 'b.Same'),
    ),
  ])
}

test('a plugin is found by its full, simple or short name, with or without its suffix', () => {
  const r = registry()
  for (const name of ['org.acme.FileSourceConnector', 'FileSourceConnector', 'FileSource'])
    expect(r.find('connector', name).version, name).toBe('1.10.0')
  for (const name of ['org.acme.transforms.Hoist$Value', 'Hoist$Value'])
    expect(r.find('transformation', name).shortName).toBe('Hoist$Value')
  expect(r.find('converter', 'Json').className).toBe('org.acme.JsonConverter')
})

test('the latest version, or the latest version in the range, is used', () => {
  const r = registry()
  expect(r.versions('connector', 'FileSource')).toEqual(['1.9.0', '1.10.0'])
  expect(r.find('connector', 'FileSource', parseRange('[1.0,1.10)')).version).toBe('1.9.0')
  expect(() => r.find('connector', 'FileSource', parseRange('9'))).toThrow(
    /org\.acme\.FileSourceConnector not found that matches the version range \[9,9\], available versions: \[1\.9\.0, 1\.10\.0\]/,
  )
})

test('the error for an unknown name lists all plugins, and other errors say that a name is ambiguous or has another type', () => {
  const r = registry()
  expect(() => r.find('connector', 'Nope')).toThrow(
    /no connector is named Nope; available: .*FileSourceConnector 1\.9\.0/,
  )
  expect(() => r.find('connector', 'JsonConverter')).toThrow(/is a converter, not a connector/)
  expect(() => r.find('connector', 'Same')).toThrow(/matches several plugins: a\.Same, b\.Same/)
  expect(r.find('connector', 'a.Same').type).toBe('sink')
  expect(r.findAny('Hoist$Key')?.type).toBe('transformation')
  expect(r.findAny('Nope')).toBe(null)
})
