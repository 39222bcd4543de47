import type { Validator } from '../../common/config/define.ts'

/** An address at which the REST API listens. */
export interface Listener {
  readonly scheme: 'http' | 'https'
  /** The host; empty for all interfaces. */
  readonly host: string
  readonly port: number
}

/**
 * Parses `http://127.0.0.1:8083`, `http://:8083` or `https://[::1]:0`. Returns null for any other
 * text.
 */
export function parseListener(text: string): Listener | null {
  const m = /^(https?):\/\/(\[[\da-fA-F:.]+\]|[^:/\s]*):(\d{1,5})\/?$/i.exec(text.trim())
  if (!m || Number(m[3]) > 65535) return null
  return {
    scheme: m[1]!.toLowerCase() === 'https' ? 'https' : 'http',
    host: m[2]!.replace(/^\[|\]$/g, ''),
    port: Number(m[3]),
  }
}

/** Validates a list of REST listeners. */
export function listenerList(options: { allowEmpty: boolean }): Validator {
  return {
    describe: 'list of http://host:port or https://host:port',
    complete: true,
    check(value, name) {
      const items = (value as readonly string[] | null) ?? []
      if (items.length === 0 && value !== null && !options.allowEmpty)
        return `Invalid value for configuration ${name}: At least one listener is required`
      const wrong = items.find(text => !parseListener(text))
      if (wrong === undefined) return null
      return `Invalid value ${wrong} for configuration ${name}: Must be http://host:port or https://host:port`
    },
  }
}
