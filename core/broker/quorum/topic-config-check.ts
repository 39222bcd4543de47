import type { ConfigKey } from '../../common/config/define.ts'
import { checkKey, parseType } from '../../common/config/parse.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { GROUP_CONFIG, groupBoundProblem } from '../config/group-config.ts'
import { TOPIC_CONFIG, type TopicConfigValues } from '../config/topic-config.ts'
import type { Refusal } from './controller-api.ts'

function refuse(message: string): Refusal {
  return { code: ErrorCode.INVALID_CONFIG, message }
}

/**
 * Returns what is wrong with the value of a declared key, in Kafka's words. Returns null if it is
 * valid.
 */
export function valueProblem(name: string, key: ConfigKey, text: string): string | null {
  // Kafka removes duplicates from a topic's list before it checks the list.
  const value = key.type === 'LIST' ? [...new Set(parseType('LIST', text) as string[])] : text
  return checkKey(name, key, { [name]: value }).errors[0] ?? null
}

/** Checks each config of a group on its own. Returns the first error, or null. */
export function checkGroupConfigs(configs: ReadonlyMap<string, string>): Refusal | null {
  const def = GROUP_CONFIG as Record<string, ConfigKey>
  for (const [name, text] of configs) {
    const key = Object.hasOwn(def, name) ? def[name] : undefined
    if (!key) return refuse(`Unknown group config name: ${name}`)
    const wrong = valueProblem(name, key, text) ?? groupBoundProblem(name, parseType(key.type, text))
    if (wrong !== null) return refuse(wrong)
  }
  return null
}

/** Checks each config of a topic on its own. Returns the first error, or null. */
export function checkTopicConfigs(configs: ReadonlyMap<string, string>): Refusal | null {
  const def = TOPIC_CONFIG as Record<string, ConfigKey>
  for (const [name, text] of configs) {
    const key = Object.hasOwn(def, name) ? def[name] : undefined
    if (!key) return refuse(`Unknown topic config name: ${name}`)
    const wrong = valueProblem(name, key, text)
    if (wrong !== null) return refuse(wrong)
  }
  return null
}

/**
 * Checks the rules that involve several settings of a topic. `v` also contains the broker's
 * defaults.
 */
export function checkMerged(v: TopicConfigValues): Refusal | null {
  const min = v['min.compaction.lag.ms']
  const max = v['max.compaction.lag.ms']
  if (min > max)
    return refuse(`conflict topic config setting min.compaction.lag.ms (${min}) > max.compaction.lag.ms (${max})`)
  if (v['remote.storage.enable'])
    return refuse(
      'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.',
    )
  return null
}
