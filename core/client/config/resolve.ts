import type { ConfigDef, ConfigKey, ConfigValues } from '../../common/config/define.ts'
import { ConfigError, parseConfig, type RawConfig } from '../../common/config/parse.ts'
import type { ClientSettingsOf } from './option-types.ts'

/** Collects errors in Kafka's words, so that the user sees all of them at once. */
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

/** The keys of a declaration by the name of their option. */
function optionNames(def: ConfigDef): [name: string, option: string][] {
  return Object.entries(def).flatMap(([name, key]: [string, ConfigKey]) => (key.option ? [[name, key.option]] : []))
}

/** Programmatic options as a configuration with Kafka's names. */
export function rawOf(def: ConfigDef, options: object): RawConfig {
  const given = options as RawConfig
  return Object.fromEntries(optionNames(def).map(([name, option]) => [name, given[option]]))
}

/** The options of a configuration: the parsed values of the keys that it contains. */
export function optionsOf(def: ConfigDef, raw: RawConfig, values: Readonly<Record<string, unknown>>): object {
  const given = optionNames(def).filter(([name]) => raw[name] !== undefined && raw[name] !== null)
  return Object.fromEntries(given.map(([name, option]) => [option, values[name]]))
}

/** The values of all keys by the name of their option. */
export function settingsOf<D extends ConfigDef>(def: D, values: ConfigValues<D>): ClientSettingsOf<D> {
  const byName: Readonly<Record<string, unknown>> = values
  return Object.fromEntries(
    optionNames(def).map(([name, option]) => [option, byName[name]]),
  ) as unknown as ClientSettingsOf<D>
}

/**
 * Parses a configuration. `check` then compares settings with each other. Throws a ConfigError that
 * names every invalid key.
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
