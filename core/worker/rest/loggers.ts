import type { Express } from 'express'
import type { Herder } from '../herder/herder.ts'
import { readObject, sendEmpty, sendJson } from './json.ts'
import { param, route } from './routes.ts'

/** The endpoints under `/admin/loggers`. */
export function loggerRoutes(app: Express, herder: () => Herder, maxBytes: number): void {
  route(app, '/admin/loggers', { get: (_req, res) => sendJson(res, 200, herder().loggers.all()) })
  route(app, '/admin/loggers/:logger', {
    get: (req, res) => sendJson(res, 200, herder().loggers.get(param(req, 'logger'))),
    put: async (req, res) => {
      const name = param(req, 'logger')
      const level = herder().loggers.parse(await readObject(req, maxBytes))
      if (String(req.query['scope'] ?? 'worker').toLowerCase() === 'cluster') {
        await herder().setClusterLogger(name, level)
        sendEmpty(res, 204)
      } else {
        sendJson(res, 200, herder().loggers.set(name, level))
      }
    },
  })
}
