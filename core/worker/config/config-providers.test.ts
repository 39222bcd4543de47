import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ConfigError } from '../../common/config/parse.ts'
import { createProviders } from './config-providers.ts'

const dir = mkdtempSync(join(tmpdir(), 'millrace-providers-'))
const file = join(dir, 'secrets.properties')
mkdirSync(join(dir, 'files'))
writeFileSync(file, 'pw=a${b}:c\nuser = x\n')
writeFileSync(join(dir, 'files/token'), 'from a file\n')
symlinkSync('/etc/hostname', join(dir, 'files/out'))
process.env['MILLRACE_TEST_SECRET'] = 'env!'
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const providers = createProviders({
  'config.providers': 'file, dir,env',
  'config.providers.file.class': 'org.apache.kafka.common.config.provider.FileConfigProvider',
  'config.providers.file.param.allowed.paths': dir,
  'config.providers.dir.class': 'DirectoryConfigProvider',
  'config.providers.env.class': 'EnvVarConfigProvider',
  'config.providers.env.param.allowlist.pattern': 'MILLRACE_.*',
})
const one = (value: string) => providers.resolve({ k: value })['k']

test('all references in a value are replaced, and the results are not resolved again', () => {
  expect(one(`\${file:${file}:pw}`)).toBe('a${b}:c')
  expect(one(`<\${file:${file}:user}/\${env:MILLRACE_TEST_SECRET}>`)).toBe('<x/env!>')
  expect(one(`\${dir:${join(dir, 'files')}:token}`)).toBe('from a file\n')
})

test('a reference to an unknown provider or an unknown key is not replaced', () => {
  for (const text of ['${topic}', '${nobody:a:b}', `\${file:${file}:none}`, '${env:PATH}', '$1', '${}'])
    expect(one(text)).toBe(text)
})

test('keys such as `toString` and `__proto__` are treated like any other key', () => {
  for (const name of ['constructor', 'toString', '__proto__']) {
    const reference = `\${file:${file}:${name}}`
    expect(one(reference)).toBe(reference)
  }
  const props = JSON.parse('{"__proto__":"${env:MILLRACE_TEST_SECRET}","a":"b"}') as Record<string, string>
  expect(JSON.stringify(providers.resolve(props))).toBe('{"__proto__":"env!","a":"b"}')
})

test('if a path cannot be read or is not allowed, the error names the configuration key', () => {
  for (const path of ['/etc/passwd', join(dir, 'none')]) {
    expect(() => one(`\${file:${path}:x}`)).toThrow(ConfigError)
    expect(() => one(`\${file:${path}:x}`)).toThrow(/for configuration k/)
  }
})

test('symbolic links that point outside of the allowed folders are rejected', () => {
  const strict = createProviders({
    'config.providers': 'd',
    'config.providers.d.class': 'DirectoryConfigProvider',
    'config.providers.d.param.allowed.paths': join(dir, 'files'),
  })
  expect(() => strict.resolve({ k: `\${d:${join(dir, 'files')}:out}` })).toThrow(/not in allowed\.paths/)
})

test('if a provider has no class or an unknown class, the error names its key or class', () => {
  const create = () =>
    createProviders({ 'config.providers': 'a,b', 'config.providers.b.class': 'com.hashicorp.VaultConfigProvider' })
  expect(create).toThrow(/config\.providers\.a\.class/)
  expect(create).toThrow(/VaultConfigProvider/)
})
