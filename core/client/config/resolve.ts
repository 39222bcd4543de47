import type { ConfigDef, ConfigKey, ConfigValues } from '../../common/config/define.ts'
import { ConfigError, parseConfig, type RawConfig } from '../../common/config/parse.ts'
import type { ClientSettingsOf } from './option-types.ts'

/** Collects errors with Kafka's messages, so that the user sees all errors at once. */
export class OptionChecks {
  readonly #errors: { key: string; message: string }[] = []

  fail(key: string, value: unknown, reason: string): void {
    this.#errors.push({ key, message: `Invalid value ${value} for configuration ${key}: ${reason}` })
  }

  /** Throws a ConfigError if there are errors. */
  done(): void {
    if (this.#errors.length > 0) throw new ConfigError(this.#errors)
  }
}

/** Returns the names of the keys that have an option, each with the name of its option. */
function optionNames(def: ConfigDef): [name: string, option: string][] {
  return Object.entries(def).flatMap(([name, key]: [string, ConfigKey]) => (key.option ? [[name, key.option]] : []))
}

/** Converts an options object to a configuration with Kafka's names. */
export function rawOf(def: ConfigDef, options: object): RawConfig {
  const given = options as RawConfig
  return Object.fromEntries(optionNames(def).map(([name, option]) => [name, given[option]]))
}

/** Returns the parsed values of the keys that a configuration contains, by option name. */
export function optionsOf(def: ConfigDef, raw: RawConfig, values: Readonly<Record<string, unknown>>): object {
  const given = optionNames(def).filter(([name]) => raw[name] !== undefined && raw[name] !== null)
  return Object.fromEntries(given.map(([name, option]) => [option, values[name]]))
}

/** Returns the values of all keys, by option name. */
export function settingsOf<D extends ConfigDef>(def: D, values: ConfigValues<D>): ClientSettingsOf<D> {
  const byName: Readonly<Record<string, unknown>> = values
  return Object.fromEntries(
    optionNames(def).map(([name, option]) => [option, byName[name]]),
  ) as unknown as ClientSettingsOf<D>
}

/**
 * Parses a configuration, then calls `check` to compare settings with each other. Throws a
 * ConfigError that names every invalid key.
 */
export function resolve<D extends ConfigDef>(
  def: D,
  raw: RawConfig,
  check: (values: ConfigValues<D>, checks: OptionChecks) => void = () => {},
): ConfigValues<D> {
  const values = parseConfig(def, raw)
  const checks = new OptionChecks()
  check(values, checks)
  checks.done()
  return values
}
