import type { Express, Request, Response } from 'express'
import { javaTrim } from '../../common/java-text.ts'
import type { Herder } from '../herder/herder.ts'
import { parseOffsetsBody } from '../herder/offset-requests.ts'
import { badRequest, notFound, RestError } from '../herder/rest-error.ts'
import { initialTarget, type TargetState } from '../storage/config-state.ts'
import type { Json } from '../storage/connect-json.ts'
import { configOf, readConfig, readObject, sendEmpty, sendJson } from './json.ts'
import { flag, param, route } from './routes.ts'

/** The endpoints under `/connectors`. */
export function connectorRoutes(app: Express, herder: () => Herder, maxBytes: number): void {
  route(app, '/connectors', {
    get: async (req, res) => sendJson(res, 200, await listed(herder(), req)),
    post: async (req, res) => {
      const body = createBody(await readConfig(req, maxBytes))
      const { info } = await herder().putConnector(body.name, body.config, false, body.target)
      created(req, res, body.name, info)
    },
  })
  route(app, '/connectors/:connector', {
    get: async (req, res) => sendJson(res, 200, await herder().connectorInfo(param(req, 'connector'))),
    delete: async (req, res) => {
      await herder().deleteConnector(param(req, 'connector'))
      sendEmpty(res, 204)
    },
  })
  route(app, '/connectors/:connector/config', {
    get: async (req, res) => sendJson(res, 200, await herder().connectorConfig(param(req, 'connector'))),
    put: async (req, res) => {
      const name = param(req, 'connector')
      const config = named(configOf(await readConfig(req, maxBytes), 'The request'), name)
      const result = await herder().putConnector(name, config, true)
      if (result.created) created(req, res, name, result.info)
      else sendJson(res, 200, result.info)
    },
    patch: async (req, res) => {
      const patch = configOf(await readConfig(req, maxBytes), 'The request')
      sendJson(res, 200, await herder().patchConnector(param(req, 'connector'), patch))
    },
  })
  route(app, '/connectors/:connector/status', {
    get: (req, res) => sendJson(res, 200, herder().connectorStatus(param(req, 'connector'))),
  })
  for (const [path, target, status] of [
    ['pause', 'PAUSED', 202],
    ['resume', 'STARTED', 202],
    ['stop', 'STOPPED', 204],
  ] as const) {
    route(app, `/connectors/:connector/${path}`, {
      put: async (req, res) => {
        await herder().setTarget(param(req, 'connector'), target)
        sendEmpty(res, status)
      },
    })
  }
  route(app, '/connectors/:connector/restart', { post: (req, res) => restart(herder(), req, res) })
  taskRoutes(app, herder)
  topicAndOffsetRoutes(app, herder, maxBytes)
}

function taskRoutes(app: Express, herder: () => Herder): void {
  route(app, '/connectors/:connector/tasks', {
    get: async (req, res) => sendJson(res, 200, await herder().taskConfigs(param(req, 'connector'))),
  })
  route(app, '/connectors/:connector/tasks/:task/status', {
    get: (req, res) => sendJson(res, 200, herder().taskStatus(param(req, 'connector'), taskId(req))),
  })
  route(app, '/connectors/:connector/tasks/:task/restart', {
    post: async (req, res) => {
      await herder().restartTask(param(req, 'connector'), taskId(req))
      sendEmpty(res, 204)
    },
  })
}

function topicAndOffsetRoutes(app: Express, herder: () => Herder, maxBytes: number): void {
  route(app, '/connectors/:connector/topics', {
    get: (req, res) => {
      const name = param(req, 'connector')
      sendJson(res, 200, { [name]: { topics: herder().activeTopics(name) } })
    },
  })
  route(app, '/connectors/:connector/topics/reset', {
    put: (req, res) => {
      herder().resetTopics(param(req, 'connector'))
      sendEmpty(res, 202)
    },
  })
  route(app, '/connectors/:connector/offsets', {
    get: async (req, res) => sendJson(res, 200, await herder().offsets(param(req, 'connector'))),
    patch: async (req, res) => {
      const pairs = parseOffsetsBody(await readObject(req, maxBytes))
      sendJson(res, 200, { message: await herder().alterOffsets(param(req, 'connector'), pairs) })
    },
    delete: async (req, res) => {
      sendJson(res, 200, { message: await herder().resetOffsets(param(req, 'connector')) })
    },
  })
}

async function restart(herder: Herder, req: Request, res: Response): Promise<void> {
  const name = param(req, 'connector')
  const includeTasks = flag(req, 'includeTasks')
  const onlyFailed = flag(req, 'onlyFailed')
  if (!includeTasks && !onlyFailed) {
    await herder.restartConnector(name)
    sendEmpty(res, 204)
    return
  }
  sendJson(res, 202, await herder.restartWithTasks(name, includeTasks, onlyFailed))
}

async function listed(herder: Herder, req: Request): Promise<unknown> {
  const asked = req.query['expand']
  if (asked === undefined) return herder.connectors()
  const expand = new Set(Array.isArray(asked) ? asked.map(String) : [String(asked)])
  const entries = await Promise.all(
    herder.connectors().map(async name => {
      const entry: Record<string, unknown> = {}
      try {
        if (expand.has('status')) entry['status'] = herder.connectorStatus(name)
        if (expand.has('info')) entry['info'] = await herder.connectorInfo(name)
        return [[name, entry] as const]
      } catch (error) {
        // The connector was deleted after the names had been listed.
        if (error instanceof RestError && error.status === 404) return []
        throw error
      }
    }),
  )
  return Object.fromEntries(entries.flat())
}

function createBody(body: { [key: string]: Json }): {
  name: string
  config: Record<string, string | null>
  target: TargetState | null
} {
  for (const key of Object.keys(body)) {
    if (key !== 'name' && key !== 'config' && key !== 'initial_state')
      throw badRequest(`Unrecognized field "${key}"; allowed fields are "name", "config", "initial_state"`)
  }
  const given = body['name'] ?? ''
  if (typeof given === 'object') throw badRequest('"name" must be a string')
  const name = javaTrim(String(given))
  const state = body['initial_state']
  const target = initialTarget(state)
  if (target === undefined)
    throw badRequest(`"initial_state" must be RUNNING, PAUSED or STOPPED, not ${JSON.stringify(state)}`)
  return { name, config: named(configOf(body['config'] ?? undefined, '"config"'), name), target }
}

/**
 * Returns the configuration with the connector's name. If the name is missing, it becomes the last
 * key.
 */
function named(config: Record<string, string | null>, name: string): Record<string, string | null> {
  const own = config['name'] ?? null
  if (own === null) return { ...config, name }
  if (own !== name)
    throw badRequest(`Connector name configuration (${own}) doesn't match connector name in the URL (${name})`)
  return config
}

function created(req: Request, res: Response, name: string, info: unknown): void {
  const base = `${req.protocol}://${req.headers.host ?? ''}`
  res.setHeader('Location', `${base}/connectors/${encodeURIComponent(name)}`)
  sendJson(res, 201, info)
}

function taskId(req: Request): number {
  const text = param(req, 'task')
  if (!/^\d{1,9}$/.test(text)) throw notFound('HTTP 404 Not Found')
  return Number(text)
}
