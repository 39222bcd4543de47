import type { Express } from 'express'
import { messageOf } from '../../common/errors/error-table.ts'
import type { Herder } from '../herder/herder.ts'
import { badRequest, notFound } from '../herder/rest-error.ts'
import { parseRange } from '../plugins/versions.ts'
import { configOf, readConfig, sendJson } from './json.ts'
import { param, route } from './routes.ts'

/** The endpoints under `/connector-plugins`. */
export function pluginRoutes(app: Express, herder: () => Herder, maxBytes: number): void {
  route(app, '/connector-plugins', {
    get: (req, res) => {
      const all = String(req.query['connectorsOnly'] ?? 'true').toLowerCase() === 'false'
      const { registry } = herder()
      const connectors = ['sink', 'source'].flatMap(type => registry.list('connector').filter(p => p.type === type))
      const others = (['transformation', 'predicate', 'converter', 'header_converter'] as const).flatMap(kind =>
        registry.list(kind),
      )
      const plugins = all ? [...connectors, ...others] : connectors
      sendJson(
        res,
        200,
        plugins.map(p => ({ class: p.className, type: p.type, version: p.version })),
      )
    },
  })
  route(app, '/connector-plugins/:plugin/config', {
    get: async (req, res) => {
      const name = param(req, 'plugin')
      const { registry, validator } = herder()
      const version = req.query['version']
      const plugin = range(() => registry.findAny(name, parseRange(version === undefined ? null : String(version))))
      if (!plugin) throw notFound(`Unknown plugin ${name}.`)
      sendJson(res, 200, await validator.keysOf(plugin))
    },
  })
  route(app, '/connector-plugins/:plugin/config/validate', {
    put: async (req, res) => {
      const name = param(req, 'plugin')
      const config = configOf(await readConfig(req, maxBytes), 'The request')
      const included = config['connector.class']
      const { registry } = herder()
      if (included != null && !samePlugin(herder(), included, name))
        throw badRequest(`Included connector type ${included} does not match request type ${name}`)
      if (included === undefined && registry.has('connector', name)) config['connector.class'] = name
      sendJson(res, 200, await herder().validate(config))
    },
  })
}

function samePlugin({ registry }: Herder, a: string, b: string): boolean {
  if (a === b || a.endsWith(`.${b}`)) return true
  if (!registry.has('connector', a) || !registry.has('connector', b)) return false
  return range(() => registry.find('connector', a).className === registry.find('connector', b).className)
}

function range<T>(find: () => T): T {
  try {
    return find()
  } catch (error) {
    throw badRequest(messageOf(error))
  }
}
