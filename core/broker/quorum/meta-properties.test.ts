import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadMetaProperties } from './meta-properties.ts'

let dir: string
let file: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'meta-properties-'))
  file = join(dir, 'meta.properties')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const load = () => loadMetaProperties([dir], 1).get(dir)!

test('a new directory is formatted, and a later start reads the same values', () => {
  const made = load()
  expect(load()).toEqual(made)
  expect(readFileSync(file, 'utf8')).toContain('version=1')
})

test('a file that Apache has written is read', () => {
  writeFileSync(
    file,
    '#\n#Sat Nov 21 06:00:00 UTC 2026\ncluster.id=AAAAAAAAAAAAAAAAAAAAAQ\ndirectory.id=D4eJz-3tQkyS\\_x\nnode.id=1\nversion=1\n'.replace(
      '\\_',
      '_',
    ),
  )
  expect(load()).toMatchObject({ clusterId: 'AAAAAAAAAAAAAAAAAAAAAQ', nodeId: 1 })
})

test.each([
  ['\u0000\u0001garbage\u0002\n', 1, /is not key=value/],
  ['#\ncluster.id=x\nsome words here\n', 3, /"some words here" is not key=value/],
  ['#\ncluster.id=x\nnode.id=1\n', 3, /version=1 is missing/],
  ['', 1, /version=1 is missing/],
  ['version=0\nbroker.id=1\n', 1, /the version is 0, but this release reads version 1/],
  ['node.id=1\nversion=1\n', 2, /cluster.id is missing/],
  ['cluster.id=x\nnode.id=one\nversion=1\n', 2, /node.id is one/],
  ['cluster.id=x\nversion=1\n', 2, /node.id is missing/],
])('the error for %j names the file, the line and the remedy', (text, line, what) => {
  writeFileSync(file, text)
  expect(load).toThrow(what)
  expect(load).toThrow(`${file}, line ${line}: `)
  expect(load).toThrow(/delete only this file/)
})
