/**
 * Runs before all test files. Elasticsearch takes half a minute to start, so it is started once,
 * and only if a test file needs it. Postgres starts in a second, so each file that needs Postgres
 * starts its own server.
 */
import type { TestProject } from 'vitest/node'
import { type ElasticsearchService, startElasticsearch } from './elasticsearch.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The URL of Elasticsearch. Null if it is not available; the tests are then skipped. */
    elasticsearchUrl: string | null
  }
}

let elasticsearch: ElasticsearchService | null = null

/** Whether a file of this run needs Elasticsearch. */
async function isNeeded(project: TestProject): Promise<boolean> {
  const filters = process.argv.slice(2).filter(argument => !argument.startsWith('-') && argument !== 'run')
  const { testFiles } = await project.globTestFiles(filters)
  return testFiles.some(file => /\.es\.test\.ts$|pipeline\.chaos\.test\.ts$/.test(file))
}

export async function setup(project: TestProject): Promise<void> {
  project.provide('elasticsearchUrl', null)
  if (!(await isNeeded(project))) return
  try {
    elasticsearch = await startElasticsearch()
    project.provide('elasticsearchUrl', elasticsearch.url)
  } catch (error) {
    const why = `Elasticsearch is not available: ${(error as Error).message}`
    if (process.env['CI'] === 'true') throw new Error(why, { cause: error })
    process.stderr.write(
      `\n!!! ${why}\n!!! All *.es.test.ts are SKIPPED. To use your own server, set ELASTICSEARCH_URL.\n\n`,
    )
  }
}

export async function teardown(): Promise<void> {
  await elasticsearch?.stop()
}
