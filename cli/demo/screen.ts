import { relative } from 'node:path'
import type { Demo } from './demo.ts'
import type { ConnectorStatus } from './rest.ts'

function stateLine(status: ConnectorStatus): string {
  const tasks = status.tasks.map(task => `task ${task.id} ${task.state}`).join(', ')
  const failed = [status.connector, ...status.tasks].find(part => part.trace)
  const why = failed?.trace ? `\n      ${failed.trace.split('\n')[0]}` : ''
  return `  ${status.name.padEnd(28)} ${status.connector.state}${tasks ? ` (${tasks})` : ''}${why}`
}

/**
 * Returns the text that `npm start` prints: addresses, the output file, the states of the
 * connectors, and what to try next.
 */
export function screen(parts: {
  brokerPort: number
  restUrl: string
  metricsUrls: readonly string[]
  dataDir: string
  logFile: string
  seconds: string
  demo: Demo
  states: readonly ConnectorStatus[]
}): string {
  const { demo } = parts
  const here = (path: string) => {
    const short = relative(process.cwd(), path)
    return short.startsWith('..') ? path : short
  }
  const option = here(parts.dataDir) === 'millrace-data' ? '' : ` --data-dir ${here(parts.dataDir)}`
  const where: [what: string, address: string, note?: string][] = [
    ['broker', `127.0.0.1:${parts.brokerPort}`, 'any Kafka client'],
    ['REST', parts.restUrl, "Kafka Connect's API"],
    ['metrics', parts.metricsUrls.join(' ')],
    ['Postgres', demo.postgresUrl],
    [
      'index',
      demo.elasticsearchUrl
        ? `${demo.elasticsearchUrl}/shop.public.orders`
        : 'none (to write to one, set ELASTICSEARCH_URL)',
    ],
    ['output', here(demo.outputFile)],
    ['log', here(parts.logFile)],
  ]
  const lines = where.map(
    ([what, address, note]) => `  ${what.padEnd(10)}${note ? address.padEnd(26) + note : address}`,
  )
  return `
Millrace is up (${parts.seconds} s). A shop's orders change in Postgres;
every change goes through the broker into a file${demo.elasticsearchUrl ? ' and Elasticsearch' : ''}.

${lines.join('\n')}

${parts.states.map(stateLine).join('\n')}

Try next, in another terminal:
  tail -f ${here(demo.outputFile)}
  npx millrace demo sql${option} "update orders set note = 'hello' where id = 1"
  curl -s '${parts.restUrl}/connectors?expand=status'

Ctrl-C stops everything. The same command starts it again, with the same data.
`
}
