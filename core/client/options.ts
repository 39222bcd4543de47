import type { ConfigValues } from '../common/config/define.ts'
import { createLogger, type Logger } from '../common/log.ts'
import { parseAddress } from './config/addresses.ts'
import { adminConfig } from './config/admin-keys.ts'
import { commonClientConfig } from './config/common-keys.ts'
import type { ClientSettingsOf } from './config/option-types.ts'
import { rawOf, resolve, settingsOf } from './config/resolve.ts'
import type { Address } from './net/connection.ts'
import type { AdminOptions, ClientOptions } from './types.ts'

/** The settings that all clients have, with defaults filled in. */
export interface CommonOptions
  extends Omit<ClientSettingsOf<typeof commonClientConfig>, 'bootstrapServers' | 'clientId'> {
  readonly bootstrap: readonly Address[]
  readonly clientId: string
  readonly logger: Logger
}

let counter = 0

/**
 * Returns the settings that all clients have, with defaults filled in. The default client id begins
 * with `kind`. Throws a ConfigError that names every invalid option.
 */
export function commonOptions(options: ClientOptions, kind: string): CommonOptions {
  return commonSettings(resolve(commonClientConfig, rawOf(commonClientConfig, options)), kind, options.logger)
}

/** Returns the settings that all clients have, from the parsed values of any client. */
export function commonSettings(
  values: ConfigValues<typeof commonClientConfig>,
  kind: string,
  logger: Logger | undefined,
): CommonOptions {
  const { bootstrapServers, clientId, ...settings } = settingsOf(commonClientConfig, values)
  const id = clientId === '' ? `${kind}-${++counter}` : clientId
  return {
    ...settings,
    bootstrap: parseAddresses(bootstrapServers),
    clientId: id,
    logger: logger ?? createLogger(`millrace.client.${kind}`, `[${id}] `),
  }
}

const parseAddresses = (list: readonly string[]): Address[] =>
  list.flatMap(text => {
    const address = parseAddress(text)
    return address ? [address] : []
  })

/** The settings of an admin client. */
export interface AdminSettings {
  readonly common: CommonOptions
  readonly apiTimeoutMs: number
}

/**
 * Returns the settings of an admin client, with defaults filled in. Throws a ConfigError that names
 * every invalid option.
 */
export function adminSettings(options: AdminOptions): AdminSettings {
  const values = resolve(adminConfig, rawOf(adminConfig, options))
  const { apiTimeoutMs } = settingsOf(adminConfig, values)
  return { common: commonSettings(values, 'admin', options.logger), apiTimeoutMs }
}
