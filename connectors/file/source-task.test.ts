import { appendFileSync, mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { Double } from 'millrace/connect'
import { parseSettings } from 'millrace/testing'
import { expect, test } from 'vitest'
import { sleep } from '../../core/common/async/sleep.ts'
import { random } from '../../test/random.ts'
import { sourceConfig } from './config.ts'
import { FileStreamSourceConnector } from './source-connector.ts'
import { FileSource } from './test-support/file-source.ts'
import { temporaryFolder } from './test-support/temporary-folder.ts'

/** Appends text to a file without adding a line end. */
const append = (file: string, text: string): void => appendFileSync(file, text)

/** These settings skip overlong lines and log them. */
const TOLERANT = { 'errors.tolerance': 'all', 'errors.log.enable': 'true' }

test('lines are read as strings with a schema and null keys, and offsets are positions in bytes', async () => {
  using dir = temporaryFolder()
  const file = dir.path('a.txt')
  writeFileSync(file, 'one\ntwö\r\n\r😀\nthree\n')
  await using source = await FileSource.run({ file })
  await source.until(() => source.records.length === 5)
  expect(source.lines).toEqual(['one', 'twö', '', '😀', 'three'])
  expect(source.positions).toEqual([4, 10, 11, 16, 22])
  expect(source.records[1]).toMatchObject({
    topic: 't',
    partition: null,
    key: null,
    keySchema: null,
    valueSchema: { type: 'string', optional: false },
    sourcePartition: { filename: file },
    sourceOffset: { position: 10 },
    headers: [],
  })
})

test('a batch contains no more lines than batch.size', async () => {
  using dir = temporaryFolder()
  const file = dir.path('a.txt')
  writeFileSync(file, 'x\n'.repeat(10))
  await using source = await FileSource.run({ file, 'batch.size': '3' })
  await source.until(() => source.records.length === 10)
  expect(source.polls).toBeGreaterThanOrEqual(4)
})

test('appended lines are read, and an unterminated line is read once its line ending arrives', async () => {
  using dir = temporaryFolder()
  const file = dir.path('a.txt')
  writeFileSync(file, 'one\n')
  await using source = await FileSource.run({ file })
  await source.until(() => source.records.length === 1)
  append(file, 'two\nthr')
  await source.until(() => source.records.length === 2)
  // The second check of the file must not return the unfinished line either.
  await sleep(1200)
  expect(source.lines).toEqual(['one', 'two'])
  append(file, 'ee\r')
  await sleep(200)
  append(file, '\nfour\n')
  await source.until(() => source.records.length === 4)
  expect(source.lines).toEqual(['one', 'two', 'three', 'four'])
  expect(source.positions).toEqual([4, 8, 15, 20])
})

test('a missing file is reported once, and is read when it appears', async () => {
  using dir = temporaryFolder()
  const file = dir.path('later.txt')
  await using source = await FileSource.run({ file })
  await source.until(() => source.problems.length > 0)
  await sleep(1500)
  expect(source.problems).toEqual([expect.stringMatching(/later\.txt does not exist\. .*\[MR_FILE_ABSENT\]$/)])
  expect(source.waitingFor).not.toBeNull()
  writeFileSync(file, '')
  await source.until(() => source.waitingFor === null)
  append(file, 'here\n')
  await source.until(() => source.records.length === 1)
  expect(source.lines).toEqual(['here'])
  expect(source.problems).toHaveLength(1)
})

test('a file in folders that do not exist is read when they are created', async () => {
  using dir = temporaryFolder()
  const file = dir.path('a/b/c.txt')
  await using source = await FileSource.run({ file })
  await source.until(() => source.problems.length === 1)
  mkdirSync(dir.path('a/b'), { recursive: true })
  writeFileSync(file, 'deep\n')
  await source.until(() => source.records.length === 1)
  expect(source.lines).toEqual(['deep'])
})

test('a folder in place of the file is reported as unreadable until a file replaces it', async () => {
  using dir = temporaryFolder()
  const file = dir.path('a')
  mkdirSync(file)
  await using source = await FileSource.run({ file })
  await source.until(() => source.problems.length === 1)
  expect(source.problems[0]).toMatch(/cannot be read: it is a folder\. .*\[MR_FILE_UNREADABLE\]$/)
  rmSync(file, { recursive: true })
  writeFileSync(file, 'now\n')
  await source.until(() => source.records.length === 1)
  expect(source.problems).not.toHaveLength(0)
})

test('a path below a file is reported as unreadable', async () => {
  using dir = temporaryFolder()
  writeFileSync(dir.path('a'), '')
  await using source = await FileSource.run({ file: dir.path('a/b') })
  await source.until(() => source.problems.length === 1)
  expect(source.problems[0]).toMatch(/ENOTDIR.*\[MR_FILE_UNREADABLE\]$/)
})

test('a file that disappears is reported once, and a new file with its name is read from its beginning', async () => {
  using dir = temporaryFolder()
  const file = dir.path('a.txt')
  writeFileSync(file, 'old 1\nold 2\n')
  await using source = await FileSource.run({ file })
  await source.until(() => source.records.length === 2)
  rmSync(file)
  await source.until(() => source.problems.length === 1)
  await sleep(1500)
  expect(source.problems).toEqual([expect.stringContaining('MR_FILE_ABSENT')])
  writeFileSync(file, 'new\n')
  await source.until(() => source.records.length === 3)
  expect(source.lines).toEqual(['old 1', 'old 2', 'new'])
  expect(source.positions).toEqual([6, 12, 4])
  expect(source.waitingFor).toBeNull()
})

test('a truncated file is read from its beginning', async () => {
  using dir = temporaryFolder()
  const file = dir.path('a.txt')
  writeFileSync(file, 'a long first line\nsecond\nunfinished')
  await using source = await FileSource.run({ file })
  await source.until(() => source.records.length === 2)
  truncateSync(file, 0)
  append(file, 'again\n')
  await source.until(() => source.records.length === 3)
  expect(source.lines).toEqual(['a long first line', 'second', 'again'])
  expect(source.positions).toEqual([18, 25, 6])
})

test('an unfinished line that is truncated and rewritten is read in its new form', async () => {
  using dir = temporaryFolder()
  const file = dir.path('a.txt')
  writeFileSync(file, 'first\nunfinished')
  await using source = await FileSource.run({ file })
  await source.until(() => source.records.length === 1)
  await sleep(100)
  truncateSync(file, 6)
  await source.until(() => source.logger.text().includes('truncated'))
  append(file, 'other\n')
  await source.until(() => source.records.length === 2)
  expect(source.lines).toEqual(['first', 'other'])
  expect(source.positions).toEqual([6, 12])
})

test('when a file is replaced, its unterminated last line is read before the new file', async () => {
  using dir = temporaryFolder()
  const file = dir.path('a.txt')
  writeFileSync(file, 'one\ntwo')
  await using source = await FileSource.run({ file })
  await source.until(() => source.records.length === 1)
  renameSync(file, dir.path('a.txt.1'))
  writeFileSync(file, 'three\n')
  await source.until(() => source.records.length === 3)
  expect(source.lines).toEqual(['one', 'two', 'three'])
  // The position after the last line of the old file is byte 0 of the new file.
  expect(source.positions).toEqual([4, 0, 6])
})

test('log rotation under load loses no lines and keeps their order', async () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9))
  console.log(`rotation seed ${seed}`)
  const { below } = random(seed)
  using dir = temporaryFolder()
  const file = dir.path('a.log')
  writeFileSync(file, 'first of 0\n')
  await using source = await FileSource.run({ file })
  const expected = ['first of 0']
  // A file that is renamed before it is opened is never read, so wait for the first record.
  await source.until(() => source.records.length === 1)
  for (let rotation = 0; rotation < 30; rotation++) {
    const writes = below(20)
    for (let w = 0; w < writes; w++) {
      const lines = Array.from({ length: 1 + below(200) }, (_, i) => `${rotation}.${w}.${i} ${'ü'.repeat(below(50))}`)
      expected.push(...lines)
      append(file, `${lines.join('\n')}\n`)
      if (below(3) === 0) await sleep(below(4))
    }
    // As with logrotate, the next rotation starts after the task has noticed this rotation.
    if (below(2) === 0) await source.until(() => source.records.length === expected.length)
    renameSync(file, dir.path(`a.log.${rotation}`))
    if (below(2) === 0) await sleep(below(20))
    expected.push(`first of ${rotation + 1}`)
    writeFileSync(file, `first of ${rotation + 1}\n`)
    await source.until(() => source.lines.at(-1) === `first of ${rotation + 1}`)
  }
  await source.until(() => source.records.length >= expected.length)
  expect(source.lines).toEqual(expected)
})

test('after a restart, the source resumes after the committed line, for each line of a file', async () => {
  using dir = temporaryFolder()
  const file = dir.path('a.txt')
  const lines = ['ä', 'bb', '€€€', 'x'.repeat(100), '', '😀', 'end']
  writeFileSync(file, lines.map((l, i) => l + ['\n', '\r\n', '\r'][i % 3]).join(''))
  const first = await FileSource.run({ file })
  await first.until(() => first.records.length === lines.length)
  await first.stop()
  for (const [i, record] of first.records.entries()) {
    await using again = await FileSource.run({ file }, record.sourceOffset)
    await again.until(() => again.records.length >= lines.length - 1 - i)
    expect(again.lines).toEqual(lines.slice(i + 1))
    expect(again.positions).toEqual(first.positions.slice(i + 1))
  }
})

test('a file that does not match the committed position is read from its beginning', async () => {
  using dir = temporaryFolder()
  const file = dir.path('a.txt')
  writeFileSync(file, 'short\n')
  await using shorter = await FileSource.run({ file }, { position: 100 })
  await shorter.until(() => shorter.records.length === 1)
  expect(shorter.logger.text()).toContain('is not the file that was read up to byte 100')
  // Byte 3 is in the middle of a line, so no record can have ended there.
  await using other = await FileSource.run({ file }, { position: 3 })
  await other.until(() => other.records.length === 1)
  expect(other.lines).toEqual(['short'])
})

test.each([{ position: -1 }, { position: 'x' }, { position: 1.5 }])(
  'a committed offset of %j is rejected',
  async offset => {
    await using source = new FileSource({ file: '/x' }, offset)
    await expect(source.start()).rejects.toThrow('the committed offset of /x is')
    expect(source.failure).toMatchObject({ code: 'MR_FILE_OFFSET' })
  },
)

test.each([
  [9007199254740993n, '9007199254740993'],
  [new Double(1), '1.0'],
])('a position of %s that is set over REST is rejected, and the error shows it unchanged', (position, text) => {
  const offsets = [[{ filename: '/lines.txt' }, { position }]] as const
  const settings = parseSettings(sourceConfig, { file: '/lines.txt', topic: 't' })
  expect(() => new FileStreamSourceConnector().alterOffsets(settings, offsets)).toThrow(
    `in the offset {"position":${text}}, 'position' is not a whole number of at least 0`,
  )
})

test('an overlong line fails the task with its position, after the lines before it were read', async () => {
  using dir = temporaryFolder()
  const file = dir.path('a.txt')
  writeFileSync(file, `ok\n${'x'.repeat(11)}\nnever\n`)
  await using source = await FileSource.run({ file, 'max.line.bytes': '10' })
  expect(await source.failed()).toMatchObject({
    message: expect.stringMatching(
      /line that begins at byte 3 of .*a\.txt is longer than 10 bytes.*MR_FILE_LINE_TOO_LONG/,
    ),
  })
  expect(source.lines).toEqual(['ok'])
})

test('with errors.tolerance=all an overlong line is reported and skipped, and the offset moves past it', async () => {
  using dir = temporaryFolder()
  const file = dir.path('a.txt')
  const props = { file, 'max.line.bytes': '10', ...TOLERANT }
  // The line is longer than one read, and its line end is split between two reads.
  const long = Buffer.concat([Buffer.alloc((1 << 20) - 4, 'x'), Buffer.from('\r\n')])
  writeFileSync(file, Buffer.concat([Buffer.from('ok\n'), long, Buffer.from('next\n'), Buffer.alloc(3 << 20, 'y')]))
  await using source = await FileSource.run(props)
  await source.until(() => source.skipped.length === 2)
  expect(source.lines).toEqual(['ok', 'next'])
  expect(source.skipped[0]).toMatch(/begins at byte 3 .*longer than 10 bytes/)
  // The end of the last line is appended later, and nothing follows it.
  append(file, 'yy\n')
  const end = 3 + long.length + 5 + (3 << 20) + 3
  await source.until(() => source.offset({ filename: file })?.['position'] === end)
  await source.stop()
  await using again = await FileSource.run(props, { position: end })
  append(file, 'last\n')
  await again.until(() => again.records.length === 1)
  expect(again.lines).toEqual(['last'])
  expect(again.skipped).toEqual([])
})

test('if a file is replaced while an overlong line is read, the new file is read from its beginning', async () => {
  using dir = temporaryFolder()
  const file = dir.path('a.txt')
  writeFileSync(file, 'x'.repeat(50))
  await using source = await FileSource.run({ file, 'max.line.bytes': '10', ...TOLERANT })
  await source.until(() => source.skipped.length === 1)
  renameSync(file, `${file}.1`)
  writeFileSync(file, 'new\n')
  await source.until(() => source.records.length === 1)
  expect(source.lines).toEqual(['new'])
  expect(source.positions).toEqual([4])
})

test('a stop ends the wait for a missing file and the wait for lines', async () => {
  using dir = temporaryFolder()
  const file = dir.path('a.txt')
  const absent = await FileSource.run({ file })
  await absent.until(() => absent.problems.length === 1)
  await absent.stop()
  writeFileSync(file, 'one\n')
  const waiting = await FileSource.run({ file })
  await waiting.until(() => waiting.records.length === 1)
  await waiting.stop()
  expect(waiting.lines).toEqual(['one'])
})

test('a task that is stopped before its first poll ends', async () => {
  using dir = temporaryFolder()
  const source = await FileSource.run({ file: dir.path('none') })
  await source.stop()
  expect(source.records).toEqual([])
})
