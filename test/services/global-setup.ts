/**
 * Before any test file: what they share. Elasticsearch takes half a minute to start, so it is started once, and only when
 * a file that needs it is going to run. Postgres starts in a second: the files that need it start their own.
 */
import type { TestProject } from 'vitest/node'
import { type ElasticsearchService, startElasticsearch } from './elasticsearch.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Null where Elasticsearch cannot be had: skip then. */
    elasticsearchUrl: string | null
  }
}

let elasticsearch: ElasticsearchService | null = null

/** Whether any file of this run needs Elasticsearch: `*.es.test.ts`, and what crosses rooms under `test/`. */
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
    const why = `Elasticsearch cannot be had: ${(error as Error).message}`
    if (process.env['CI'] === 'true') throw new Error(why, { cause: error })
    process.stderr.write(
      `\n!!! ${why}\n!!! All *.es.test.ts are SKIPPED. Set ELASTICSEARCH_URL to use one of yours.\n\n`,
    )
  }
}

export async function teardown(): Promise<void> {
  await elasticsearch?.stop()
}
