import type { ConfigDef } from '../../../common/config/define.ts'
import { HIDDEN, hideInUrls, passwordsInUrls } from '../../../common/config/password.ts'
import type { Props } from '../../../connect/props.ts'
import { isSecretClientKey } from '../../config/client-overrides.ts'

/** Secrets that are shorter than this are not hidden, because they occur in many other words. */
const MIN_LENGTH = 4
/** The maximum number of secrets that a thread stores. */
const MAX_SECRETS = 1000

const known = new Set<string>()
let pattern: RegExp | null = null

/**
 * Stores the secrets of a plugin's configuration and the passwords in its URLs. They are then
 * hidden in all messages and traces that leave this thread. A secret that is also the value of a
 * non-secret key is not hidden, for example a password that equals the user name.
 */
export function learnSecrets(def: ConfigDef, props: Props): void {
  learn(props, key => def[key]?.type === 'PASSWORD')
}

/** Stores the secrets in the settings of a Kafka client. */
export function learnClientSecrets(props: Props): void {
  learn(props, isSecretClientKey)
}

function learn(props: Props, isSecret: (key: string) => boolean): void {
  const open = new Set(Object.keys(props).flatMap(key => (isSecret(key) ? [] : [props[key]])))
  const before = known.size
  const secrets = Object.entries(props).flatMap(([key, value]) => (isSecret(key) ? [value] : passwordsInUrls(value)))
  for (const value of secrets) {
    if (value.length < MIN_LENGTH || value === HIDDEN || open.has(value)) continue
    for (const form of [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]) {
      if (known.size < MAX_SECRETS) known.add(form)
    }
  }
  if (known.size > before) pattern = patternOf(known)
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')

/**
 * Returns a pattern that matches the secrets as whole words. Longer secrets come first, because a
 * shorter secret may be a prefix of a longer one.
 */
function patternOf(secrets: ReadonlySet<string>): RegExp {
  const sorted = [...secrets].sort((a, b) => b.length - a.length)
  return new RegExp(`(?<![\\w])(?:${sorted.map(escaped).join('|')})(?![\\w])`, 'g')
}

/** Returns the text with the stored secrets and the passwords in URLs hidden. */
export function redact(text: string): string {
  const open = hideInUrls(text)
  return pattern === null ? open : open.replace(pattern, HIDDEN)
}
