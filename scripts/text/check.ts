import { AVOIDED } from './words.ts'

/** A literal use of an avoided phrase. This text in this file is not reported. */
export interface Exception {
  readonly file: string
  readonly text: string
}

export interface Fault {
  readonly file: string
  readonly line: number
  readonly message: string
}

/** The last column of a comment, and the last column of a line of Markdown. */
export const COMMENT_COLUMNS = 100
export const MARKDOWN_COLUMNS = 120

const URL_IN_LINE = /https?:\/\/\S{30,}/
const COMMENT_LINE = /^\s*(?:\/\/|\/?\*|#(?:\s|$))/
const TOOL_COMMENT = /(?:biome-ignore|@ts-expect-error|v8 ignore|eslint-|oxlint-)/

/** Returns the faults of one file. `file` is its path from the project's root. */
export function check(file: string, text: string, exceptions: readonly Exception[] = []): Fault[] {
  const allowed = exceptions.filter(e => e.file === file)
  const faults: Fault[] = []
  const markdown = file.endsWith('.md')
  let fence = false
  let isList = false
  text.split('\n').forEach((line, index) => {
    const report = (message: string) => faults.push({ file, line: index + 1, message })
    // The section with the list of phrases is not checked.
    if (file === 'CONTRIBUTING.md' && /^### /.test(line)) isList = line === '### Words to avoid'
    if (markdown && /^\s*```/.test(line)) {
      fence = !fence
      return
    }
    if (/^(?:<<<<<<<|>>>>>>>) /.test(line)) report('a merge conflict is not resolved')
    const prose = markdown ? (fence || isList ? '' : line) : proseOf(line)
    if (markdown) {
      const free = fence || line.startsWith('|') || URL_IN_LINE.test(line)
      if (!free && line.length > MARKDOWN_COLUMNS) report(`the line has ${line.length} columns, more than 120`)
    } else if (COMMENT_LINE.test(line) && !TOOL_COMMENT.test(line) && !URL_IN_LINE.test(line)) {
      if (line.length > COMMENT_COLUMNS) report(`the comment ends at column ${line.length}, after 100`)
    }
    for (const { pattern, instead } of AVOIDED) {
      const found = pattern.exec(prose)
      if (!found || allowed.some(e => line.includes(e.text) && e.text.includes(found[0]))) continue
      report(`"${found[0]}": write ${instead}`)
    }
  })
  return faults
}

/** Returns the exceptions whose text no longer exists, so that they can be deleted. */
export function unused(exceptions: readonly Exception[], read: (file: string) => string | null): Exception[] {
  return exceptions.filter(({ file, text }) => !read(file)?.includes(text))
}

/**
 * Returns the prose in a line of code: its comment, and string literals of at least three words.
 */
function proseOf(line: string): string {
  if (COMMENT_LINE.test(line)) return line
  const strings = [...line.matchAll(/(['"`])((?:\\.|(?!\1).)*)\1/g)].map(match => match[2]!)
  const comment = /(?:^|\s)\/\/ (.*)$/.exec(line.replace(/(['"`])(?:\\.|(?!\1).)*\1/g, "''"))
  return [...strings.filter(text => text.trim().split(/\s+/).length >= 3), comment?.[1] ?? ''].join('\n')
}
