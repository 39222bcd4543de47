import { sleep } from '../../core/common/async/sleep.ts'
import { errors } from '../errors.ts'

/** The response to GET /connectors/NAME/status. */
export interface ConnectorStatus {
  readonly name: string
  readonly connector: { readonly state: string; readonly trace?: string }
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly trace?: string }[]
}

/**
 * Calls the worker's REST API. Returns null for 404 and 204. Throws MR_CLI_REST for other errors.
 */
export async function call(base: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${base}${path}`, {
    method,
    signal: AbortSignal.timeout(30_000),
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (response.status === 404 || response.status === 204) return null
  const parsed: unknown = text === '' ? null : JSON.parse(text)
  if (response.ok) return parsed
  const message = (parsed as { message?: string } | null)?.message ?? text
  throw errors.create('MR_CLI_REST', { method, path, status: response.status, message })
}

/**
 * Creates a connector, or changes its configuration. Does nothing if the connector already has this
 * configuration.
 */
export async function putConnector(
  base: string,
  name: string,
  config: Readonly<Record<string, string>>,
): Promise<void> {
  const path = `/connectors/${encodeURIComponent(name)}/config`
  const now = (await call(base, 'GET', path)) as Record<string, string> | null
  const wanted = { ...config, name }
  const same =
    now !== null && Object.keys({ ...now, ...wanted }).every(key => now[key] === wanted[key as keyof typeof wanted])
  if (!same) await call(base, 'PUT', path, config)
}

export async function statusOf(base: string, name: string): Promise<ConnectorStatus | null> {
  return (await call(base, 'GET', `/connectors/${encodeURIComponent(name)}/status`)) as ConnectorStatus | null
}

/**
 * Waits until a connector and its tasks are running, until one of them has failed, or until the
 * time limit. Returns the last status.
 */
export async function waitForStart(
  base: string,
  name: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ConnectorStatus | null> {
  const end = Date.now() + timeoutMs
  for (;;) {
    const status = await statusOf(base, name)
    const states = status ? [status.connector.state, ...status.tasks.map(t => t.state)] : []
    if (states.includes('FAILED') || (states.length > 1 && states.every(s => s === 'RUNNING')) || Date.now() > end)
      return status
    await sleep(50, signal)
  }
}
