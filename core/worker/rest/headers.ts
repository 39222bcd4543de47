import type { Express } from 'express'
import { sendEmpty } from './json.ts'

interface HeaderRule {
  readonly action: 'set' | 'add' | 'setDate' | 'addDate'
  readonly name: string
  readonly value: string
}

/** Splits the text at commas outside of double quotes, and removes the quotes. */
function splitRules(text: string): string[] {
  const rules: string[] = []
  let rule = ''
  let quoted = false
  for (const c of text) {
    if (c === '"') quoted = !quoted
    else if (c === ',' && !quoted) {
      rules.push(rule)
      rule = ''
    } else rule += c
  }
  rules.push(rule)
  return rules.map(r => r.trim()).filter(r => r !== '')
}

/** Parses `response.http.headers.config`. Throws an Error that names the invalid rule. */
export function parseHeaderRules(text: string): HeaderRule[] {
  return splitRules(text).map(rule => {
    const m = /^(set|add|setDate|addDate)\s+([!#$%&'*+.^_`|~\w-]+)\s*:\s*(.*)$/.exec(rule)
    if (!m) throw new Error(`'${rule}' does not look like 'set X-Header: value' (set, add, setDate, addDate)`)
    return { action: m[1] as HeaderRule['action'], name: m[2]!, value: m[3]! }
  })
}

/** Adds the configured headers to every answer. The value of a date header is in ms since 1970. */
export function headerRules(app: Express, rules: readonly HeaderRule[]): void {
  if (rules.length === 0) return
  app.use((_req, res, next) => {
    for (const { action, name, value } of rules) {
      const text = action.endsWith('Date') ? new Date(Number(value)).toUTCString() : value
      if (action.startsWith('set')) res.setHeader(name, text)
      else res.appendHeader(name, text)
    }
    next()
  })
}

/** Adds CORS headers to the answers to requests from allowed origins (`access.control.allow.*`). */
export function crossOrigin(app: Express, origins: string, methods: string): void {
  const allowed = origins
    .split(',')
    .map(o => o.trim())
    .filter(o => o !== '')
  if (allowed.length === 0) return
  const verbs =
    methods.trim() === ''
      ? 'GET,POST,HEAD'
      : methods
          .split(',')
          .map(m => m.trim())
          .join(',')
  app.use((req, res, next) => {
    const origin = req.headers.origin
    if (origin === undefined || !(allowed.includes('*') || allowed.includes(origin))) return next()
    res.setHeader('Access-Control-Allow-Origin', origin)
    res.appendHeader('Vary', 'Origin')
    if (req.method !== 'OPTIONS' || req.headers['access-control-request-method'] === undefined) return next()
    res.setHeader('Access-Control-Allow-Methods', verbs)
    res.setHeader('Access-Control-Allow-Headers', 'X-Requested-With,Content-Type,Accept,Origin')
    res.setHeader('Access-Control-Max-Age', '1800')
    sendEmpty(res, 200)
  })
}
