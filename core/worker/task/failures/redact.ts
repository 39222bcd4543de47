import type { ConfigDef } from '../../../common/config/define.ts'
import { HIDDEN, hideInUrls } from '../../../common/config/password.ts'
import type { Props } from '../../../connect/props.ts'
import { isSecretClientKey } from '../../config/client-overrides.ts'

/** Anything shorter stands in too many words that are no secret. */
const SHORTEST = 4
/** How many secrets a thread remembers at most. */
const MOST = 1000

const known = new Set<string>()
let pattern: RegExp | null = null

/**
 * Remembers the secrets of a plugin's configuration: from here on they are hidden in whatever
 * leaves this thread as text. A value that stands under an open key too, such as a password that is
 * the user's name, hides nothing.
 */
export function learnSecrets(def: ConfigDef, props: Props): void {
  learn(props, key => def[key]?.type === 'PASSWORD')
}

/** The same for settings of Kafka's clients. */
export function learnClientSecrets(props: Props): void {
  learn(props, isSecretClientKey)
}

function learn(props: Props, isSecret: (key: string) => boolean): void {
  const open = new Set(Object.keys(props).flatMap(key => (isSecret(key) ? [] : [props[key]])))
  const before = known.size
  for (const [key, value] of Object.entries(props)) {
    if (!isSecret(key) || value.length < SHORTEST || value === HIDDEN || open.has(value)) continue
    for (const form of [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]) {
      if (known.size < MOST) known.add(form)
    }
  }
  if (known.size > before) pattern = patternOf(known)
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')

/** The longest first, since one may begin with another; none within a word. */
function patternOf(secrets: ReadonlySet<string>): RegExp {
  const sorted = [...secrets].sort((a, b) => b.length - a.length)
  return new RegExp(`(?<![\\w])(?:${sorted.map(escaped).join('|')})(?![\\w])`, 'g')
}

/** A text without the secrets that this thread knows, and without passwords in URLs. */
export function redact(text: string): string {
  const open = hideInUrls(text)
  return pattern === null ? open : open.replace(pattern, HIDDEN)
}
