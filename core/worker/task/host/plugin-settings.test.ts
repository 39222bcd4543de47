import { expect, test } from 'vitest'
import { defineConfig } from '../../../common/config/define.ts'
import { validateConfig } from '../../../common/config/parse.ts'
import type { ConfigureContext } from '../../../connect/plugins.ts'
import { configurePlugin, taskSettings } from './plugin-settings.ts'

const config = defineConfig({
  size: { type: 'INT', default: 3, importance: 'HIGH', documentation: 'A number.' },
})

test('configure gets the parsed settings, and the configuration as text in the context', () => {
  const seen: [unknown, ConfigureContext][] = []
  configurePlugin({ config, configure: (settings, context) => void seen.push([settings, context]) }, { size: ' 7 ' })
  expect(seen[0]?.[0]).toEqual({ size: 7 })
  expect(seen[0]?.[1].configs).toEqual({ size: ' 7 ' })
  expect(seen[0]?.[1].logger.name).toContain('millrace.plugin')
})

test('an invalid value is rejected with the message that validation would show', () => {
  const props = { size: 'many' }
  const [value] = validateConfig(config, props)
  expect(() => configurePlugin({ config, configure: () => {} }, props)).toThrow(value!.errors[0])
  expect(() => taskSettings({}, { config }, props)).toThrow(value!.errors[0])
})

test('the keys that a task declares replace those of its connector', () => {
  const own = defineConfig({ part: { type: 'INT', importance: 'HIGH', documentation: 'The number of the part.' } })
  expect(taskSettings({ config: own }, { config }, { part: '2' })).toEqual({ part: 2 })
  expect(taskSettings({}, { config }, { part: '2' })).toEqual({ size: 3 })
})

test('a converter that declares converter.type is configured with `key` or `value`', () => {
  const typed = defineConfig({ 'converter.type': { type: 'STRING', importance: 'LOW', documentation: 'Its use.' } })
  const seen: unknown[] = []
  const plugin = { config: typed, configure: (s: unknown, c: { isKey: boolean }) => void seen.push(s, c.isKey) }
  configurePlugin(plugin, {}, true)
  configurePlugin(plugin, { 'converter.type': 'key' })
  configurePlugin(plugin, {})
  expect(seen).toEqual([
    { 'converter.type': 'key' },
    true,
    { 'converter.type': 'key' },
    true,
    { 'converter.type': 'value' },
    false,
  ])
})

test('a plugin may omit both its declaration and `configure`', () => {
  expect(() => configurePlugin({}, { anything: 'x' })).not.toThrow()
})

test('an error names the key with the prefix under which the user has set it', () => {
  const config = defineConfig({
    size: { type: 'INT', importance: 'LOW', documentation: 'A size.' },
    name: { type: 'STRING', importance: 'LOW', documentation: 'A name.' },
  })
  const run = () => configurePlugin({ config }, { size: 'size' }, false, 'transforms.t.')
  expect(run).toThrow('Invalid value size for configuration transforms.t.size: Not a number of type INT')
  expect(run).toThrow('Missing required configuration "transforms.t.name" which has no default value')
})
