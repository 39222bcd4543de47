import type { Express, Request, Response } from 'express'
import { RestError } from '../herder/rest-error.ts'
import { sendText } from './json.ts'

export type Handler = (req: Request, res: Response) => Promise<void> | void
export type Methods = Partial<Record<'get' | 'post' | 'put' | 'patch' | 'delete', Handler>>

/**
 * Serves a path. GET handlers also answer HEAD, OPTIONS lists the methods, and any other method is
 * answered with a 405. Path parameters are decoded exactly once: `a%2Fb` becomes `a/b`, and
 * `a%252Fb` becomes `a%2Fb`.
 */
export function route(app: Express, path: string, methods: Methods): void {
  const names = Object.keys(methods) as (keyof Methods)[]
  const allow = names.map(n => n.toUpperCase())
  if (methods.get) allow.unshift('HEAD')
  allow.push('OPTIONS')
  const at = app.route(path)
  for (const name of names) {
    const handler = methods[name]!
    at[name](async (req: Request, res: Response) => {
      if (req.headers.accept !== undefined && !req.accepts('application/json'))
        throw new RestError(406, 'HTTP 406 Not Acceptable')
      await handler(req, res)
    })
  }
  at.options((_req: Request, res: Response) => {
    res.setHeader('Allow', allow.join(','))
    sendText(res, 200, 'text/plain', allow.join(', '))
  })
  at.all((_req: Request, res: Response) => {
    res.setHeader('Allow', allow.join(','))
    throw new RestError(405, 'HTTP 405 Method Not Allowed')
  })
}

/** Returns a decoded path parameter. */
export function param(req: Request, name: string): string {
  const value = req.params[name]
  return Array.isArray(value) ? value.join('/') : (value ?? '')
}

/** Returns a boolean query parameter, parsed like Java's Boolean.valueOf. */
export function flag(req: Request, name: string): boolean {
  return String(req.query[name] ?? '').toLowerCase() === 'true'
}
