import { expect, test } from 'vitest'
import { defineConfig } from '../../../common/config/define.ts'
import { failureOf } from './failure.ts'
import { learnClientSecrets, learnSecrets, redact } from './redact.ts'

const shared = { importance: 'HIGH', documentation: '' } as const
const def = defineConfig({
  user: { type: 'STRING', ...shared },
  password: { type: 'PASSWORD', default: null, ...shared },
})

test('a secret is hidden in messages and traces, even if it is URL-encoded or JSON-encoded', () => {
  expect(redact('user=u password=gr&n "o"')).toContain('gr&n')
  learnSecrets(def, { user: 'u', password: 'gr&n "o"' })
  for (const text of ['password=gr&n "o" refused', 'url?p=gr%26n%20%22o%22', '{"p":"gr&n \\"o\\""}']) {
    expect(redact(text)).toContain('[hidden]')
    expect(redact(text)).not.toMatch(/gr(&|%26)n/)
  }
  const failure = failureOf(
    new Error('refused gr&n "o"', { cause: new Error('dsn p=gr&n "o" and postgres://u:pw1@h/d') }),
  )
  expect(`${failure.message} ${failure.trace}`).not.toMatch(/gr&n|pw1/)
  expect(failure.trace).toContain('Caused by')
})

test('secrets are not hidden if they are short, part of a word, or also the value of a non-secret key', () => {
  learnSecrets(def, { user: 'postgres', password: 'postgres' })
  learnSecrets(def, { user: 'u', password: 'abc' })
  learnSecrets(def, { user: 'u', password: 'order' })
  expect(redact('postgres abc orders')).toBe('postgres abc orders')
  expect(redact('the order is')).toBe('the [hidden] is')
})

test('secrets in client settings are recognised by the names of the keys', () => {
  learnClientSecrets({ 'client.id': 'me', 'ssl.key.password': 'kellerkind' })
  expect(redact('key kellerkind of me')).toBe('key [hidden] of me')
})

test('the password in a URL is hidden, both as it is written in the URL and decoded', () => {
  learnSecrets(def, { user: 'u', url: 'https://elastic:geheim%40nis@host:9200' })
  expect(redact('elastic:geheim@nis was refused; geheim%40nis')).toBe('elastic:[hidden] was refused; [hidden]')
})
