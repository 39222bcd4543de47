const TYPES = ['feat', 'fix', 'perf', 'refactor', 'test', 'docs', 'build', 'ci', 'style', 'bench', 'revert']
const SUBJECT = new RegExp(`^(?:${TYPES.join('|')})(?:\\([a-z0-9,-]+\\))?!?: \\S.*[^.\\s]$`)
/**
 * The maximum length of a subject: enough for a sentence, and short enough for a list of commits.
 */
const SUBJECT_COLUMNS = 110
/** Changes of these types need a reason that the subject cannot give. */
const NEEDS_REASON = /^(?:feat|fix|perf|refactor|build|revert)\b/

/** Returns what is wrong with a commit message, by the rules in CONTRIBUTING.md. */
export function faultsOf(message: string): string[] {
  const [subject = '', second, ...rest] = message.trimEnd().split('\n')
  if (/^(?:Merge|Revert "|fixup! |squash! )/.test(subject)) return []
  const faults: string[] = []
  if (!SUBJECT.test(subject))
    faults.push('the subject must be "type(scope): what it does", with one of the types of CONTRIBUTING.md')
  if (subject.length > SUBJECT_COLUMNS)
    faults.push(`the subject has ${subject.length} characters, more than ${SUBJECT_COLUMNS}`)
  if (second) faults.push('the second line must be empty')
  if (NEEDS_REASON.test(subject) && rest.join('').trim() === '') faults.push('the body must give the reason')
  return faults
}
