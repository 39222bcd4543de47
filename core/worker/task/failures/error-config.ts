import { type ConfigValues, defineConfig } from '../../../common/config/define.ts'
import { parseConfig } from '../../../common/config/parse.ts'
import type { Props } from '../../../connect/props.ts'
import { deadLetterQueueKeys, errorKeys } from '../../config/error-keys.ts'

const errorConfig = defineConfig({ ...errorKeys, ...deadLetterQueueKeys })

/** The parsed `errors.*` keys of a connector. */
export type ErrorConfig = ConfigValues<typeof errorConfig>

/** Parses the `errors.*` keys of a connector. Throws a ConfigError. */
export function parseErrorConfig(props: Props): ErrorConfig {
  return parseConfig(errorConfig, props)
}
