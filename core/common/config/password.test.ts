import { expect, test } from 'vitest'
import { hasHiddenInUrls, hideInUrls, hideInValue, passwordsInUrls } from './password.ts'

test.each([
  ['http://user:sesame@host:9200/x', 'http://user:[hidden]@host:9200/x'],
  ['http://user:se@sa/m,e@host', 'http://user:[hidden]@host'],
  ['http://user:1234@host', 'http://user:[hidden]@host'],
  [
    'http://a:9200,http://user:sesame@b:9200,http://u2:s2@c',
    'http://a:9200,http://user:[hidden]@b:9200,http://u2:[hidden]@c',
  ],
  ['{"url":"http://user:sesame@host","mail":"a@b"}', '{"url":"http://user:[hidden]@host","mail":"a@b"}'],
  [
    'jdbc:postgresql://h:5432/db?user=u&password=sesame&ssl=true',
    'jdbc:postgresql://h:5432/db?user=u&password=[hidden]&ssl=true',
  ],
  [
    'jdbc:sqlserver://h;user=u;Password=sesame;trustStorePassword=s2',
    'jdbc:sqlserver://h;user=u;Password=[hidden];trustStorePassword=[hidden]',
  ],
  ['https://h/?access_token=sesame#x', 'https://h/?access_token=[hidden]#x'],
])('the passwords in %s are hidden', (text, expected) => {
  expect(hideInUrls(text)).toBe(expected)
  expect(hideInUrls(expected)).toBe(expected)
  expect([hasHiddenInUrls(text), hasHiddenInUrls(expected)]).toEqual([false, true])
})

test.each([
  'http://localhost:9200/mail@example',
  'http://h:80, mail a@b',
  'user@host:1234',
  'a=b;c=d',
  'no password=x',
])('%s has no password', text => {
  expect(hideInUrls(text)).toBe(text)
  expect(passwordsInUrls(text)).toEqual([])
})

test('the passwords in URLs are also returned decoded', () => {
  expect(passwordsInUrls('http://u:s%40same@h http://u:100%@h')).toEqual(['s%40same', 's@same', '100%'])
})

test('the value of a key may be a URL whose scheme is missing or misspelled', () => {
  expect(hideInValue("user:sesame@host:9200,u2:s2@b 'htp:/u3:s3@c'")).toBe(
    "user:[hidden]@host:9200,u2:[hidden]@b 'htp:/u3:[hidden]@c'",
  )
  for (const text of ['file:///x/@scope/y', 'host:9092', 'a@b.c', 'kafka:9092,other:9092', 'node:x @y'])
    expect(hideInValue(text)).toBe(text)
})

test.each(['a:x/', '://a:', '/a:b', '?password', ';password=x@', 'a:', '@a:x/'])(
  'a value of a megabyte that repeats %j is handled in linear time',
  unit => {
    const text = unit.repeat(Math.ceil(1_000_000 / unit.length))
    // A search in quadratic time would exceed the time limit of a test.
    expect(hideInValue(text).length).toBeGreaterThan(0)
    passwordsInUrls(text)
  },
)
