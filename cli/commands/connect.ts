import { readFileSync } from 'node:fs'
import { basename, extname } from 'node:path'
import { readProperties } from '../../core/common/config/properties.ts'
import { jsonError } from '../../core/common/errors/json-error.ts'
import { initialTarget, type TargetState } from '../../core/worker/storage/config-state.ts'
import { parseJsonText } from '../../core/worker/storage/connect-json.ts'
import { startWorker } from '../../core/worker/worker.ts'
import { errors } from '../errors.ts'
import { serve } from '../lifecycle.ts'

/** The parsed content of a connector file. */
export interface ConnectorFile {
  readonly config: Readonly<Record<string, string>>
  /** The initial state of the connector, or null if the file does not contain it. */
  readonly target: TargetState | null
}

/**
 * Reads a connector file in one of the three forms of connect-standalone: properties, JSON with
 * `name` and `config` (the body of POST /connectors, including `initial_state`), or the flat
 * configuration as JSON. Throws MR_CLI_CONNECTOR_FILE.
 */
export function readConnectorFile(path: string): ConnectorFile {
  if (extname(path) !== '.json') return { config: readProperties(path), target: null }
  const refuse = (cause: string) => errors.create('MR_CLI_CONNECTOR_FILE', { path, cause })
  let parsed: unknown
  try {
    parsed = parseJsonText(readFileSync(path, 'utf8'))
  } catch (error) {
    throw refuse(jsonError(error))
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw refuse('it is not a JSON object')
  const whole = parsed as { name?: unknown; config?: unknown; initial_state?: unknown }
  const nested = typeof whole.config === 'object' && whole.config !== null
  const flat = nested ? { ...(whole.config as object), name: whole.name } : parsed
  const target = nested ? initialTarget(whole.initial_state) : null
  if (target === undefined) throw refuse("'initial_state' must be RUNNING, PAUSED or STOPPED")
  const entries = Object.entries(flat).filter(([, value]) => value !== null && value !== undefined)
  const wrong = entries.find(([, value]) => typeof value === 'object')
  if (wrong) throw refuse(`the value of '${wrong[0]}' must be a string, a number or a boolean`)
  const config: Record<string, string> = Object.fromEntries(entries.map(([key, value]) => [key, String(value)]))
  if (!config['name']) throw refuse(`'name' is missing (${basename(path)})`)
  return { config, target }
}

/** Runs `millrace connect-standalone worker.properties connector...`. */
export async function connectStandalone(file: string, connectors: readonly string[]): Promise<void> {
  const properties = readProperties(file)
  const files = connectors.map(readConnectorFile)
  const connectorConfigs = files.map(f => f.config)
  const initialStates: Record<string, TargetState> = {}
  for (const { config, target } of files) if (target !== null) initialStates[config['name'] ?? ''] = target
  await serve(async life => {
    const worker = await startWorker(properties, {
      mode: 'standalone',
      connectorConfigs,
      initialStates,
      signal: life.signal,
    })
    life.add('the worker', () => worker.close())
  })
}

/** Runs `millrace connect-distributed worker.properties`. */
export async function connectDistributed(file: string): Promise<void> {
  const properties = readProperties(file)
  await serve(async life => {
    const worker = await startWorker(properties, { mode: 'distributed', signal: life.signal })
    life.add('the worker', () => worker.close())
  })
}
