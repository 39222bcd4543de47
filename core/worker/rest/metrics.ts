import type { Express, Request, Response } from 'express'
import { concat } from '../../common/metrics/metric.ts'
import { processFamilies } from '../../common/metrics/process-metrics.ts'
import { answerMetrics, MAX_SCRAPES, TOO_MANY_SCRAPES } from '../../common/metrics/serve.ts'
import { RestError } from '../herder/rest-error.ts'
import type { WorkerHealth } from './server.ts'

/**
 * Serves `GET /metrics`. Until the worker has started, the answer contains only the metrics of its
 * process.
 */
export function metricsRoute(app: Express, health: () => WorkerHealth): void {
  let scrapes = 0
  const collect = async () => {
    const now = health()
    const own = await processFamilies()
    return now.phase === 'ready' ? concat(now.herder.metrics.families(), own) : own
  }
  app.get('/metrics', async (req: Request, res: Response) => {
    if (scrapes >= MAX_SCRAPES) throw new RestError(503, TOO_MANY_SCRAPES)
    scrapes++
    try {
      await answerMetrics(req, res, collect)
    } finally {
      scrapes--
    }
  })
  app.all('/metrics', (_req: Request, res: Response) => {
    res.setHeader('Allow', 'GET,HEAD')
    throw new RestError(405, 'HTTP 405 Method Not Allowed')
  })
}
