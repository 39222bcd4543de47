import { expect, test } from 'vitest'
import { check, unused } from './check.ts'
import { AVOIDED } from './words.ts'

const messages = (file: string, text: string, exceptions = [] as { file: string; text: string }[]) =>
  check(file, text, exceptions).map(({ line, message }) => `${line}: ${message}`)

test('a comment that ends after column 100 is reported; long code, URLs and directives of tools are not', () => {
  const long = 'x'.repeat(110)
  expect(
    messages(
      'a.ts',
      [
        `// ${'word '.repeat(20)}`,
        ` * ${'word '.repeat(20)}`,
        `const text = '${long}'`,
        `// see https://example.org/${long}`,
        `// biome-ignore lint/suspicious/noExplicitAny: ${long}`,
      ].join('\n'),
    ),
  ).toEqual(['1: the comment ends at column 103, after 100', '2: the comment ends at column 103, after 100'])
})

test('a line of Markdown after column 120 is reported, but not in a table or a block of code', () => {
  const long = 'word '.repeat(30)
  expect(messages('a.md', [long, `| ${long}|`, '```sh', long, '```', long].join('\n'))).toEqual([
    '1: the line has 150 columns, more than 120',
    '6: the line has 150 columns, more than 120',
  ])
})

test('an avoided phrase is reported in comments, messages and Markdown, but not in code', () => {
  const text = [
    '// the file is opened anew',
    'const stands = 1 // it stands here',
    "throw new Error('the task goes on where it was')",
    "const key = 'stands'",
    'if (anew) doors.open()',
  ].join('\n')
  expect(messages('a.ts', text)).toEqual([
    '1: "anew": write again; recreate, reopen, restart',
    '2: "stands": write is, is at, is in',
    '3: "goes on": write continue, resume',
  ])
  expect(messages('a.md', 'It goes on.\n```\nanew\n```')).toEqual(['1: "goes on": write continue, resume'])
})

test('an exception allows one text in one file, and is reported once the text has changed', () => {
  const exceptions = [{ file: 'a.ts', text: 'what goes on inside' }]
  expect(messages('a.ts', '// what goes on inside', exceptions)).toEqual([])
  expect(messages('a.ts', '// it goes on here', exceptions)).toHaveLength(1)
  expect(messages('b.ts', '// what goes on inside', exceptions)).toHaveLength(1)
  expect(unused(exceptions, () => '// what goes on inside')).toEqual([])
  expect(unused(exceptions, () => '// inside')).toEqual(exceptions)
  expect(unused(exceptions, () => null)).toEqual(exceptions)
})

test('the marks of an unresolved merge conflict are reported', () => {
  expect(messages('A.java', '<<<<<<< HEAD\nint a;\n=======\nint b;\n>>>>>>> 1234567 (a commit)')).toEqual([
    '1: a merge conflict is not resolved',
    '5: a merge conflict is not resolved',
  ])
})

test('every avoided phrase names its replacement', () => {
  for (const { pattern, instead } of AVOIDED) expect(pattern.test(instead), instead).toBe(false)
})
