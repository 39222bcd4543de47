import { sinkConformance } from 'millrace/testing'
import { describe, inject, test } from 'vitest'
import { ElasticsearchSinkConnector } from './connector.ts'
import { uniqueName } from './test-support/elasticsearch-sink.ts'

const url = inject('elasticsearchUrl')

describe.skipIf(!url)('the conformance suite', () => {
  const checks = sinkConformance({
    connector: ElasticsearchSinkConnector,
    timeoutMs: 8000,
    fixture: async () => {
      // The harness sends records to the topic "test".
      const index = uniqueName('conformance')
      const request = (method: string, path: string) => fetch(`${url}/${path}`, { method })
      // The sink does not create an external index, so it must exist.
      await request('PUT', index)
      return {
        config: {
          'connection.url': url!,
          'schema.ignore': 'true',
          'external.resource.usage': 'INDEX',
          'topic.to.external.resource.mapping': `test:${index}`,
          'linger.ms': '1',
          'behavior.on.null.values': 'ignore',
        },
        written: async () => {
          await request('POST', `${index}/_refresh`)
          const answer = await request('GET', `${index}/_search?size=1000&sort=n:asc`)
          const body = (await answer.json()) as { hits?: { hits: { _source: { n: number } }[] } }
          return body.hits?.hits.map(hit => hit._source.n) ?? []
        },
        dispose: async () => void (await request('DELETE', index)),
      }
    },
    record: n => ({ key: `k${n}`, value: { n } }),
    badRecord: { key: 'bad', value: { n: { not: 'a number' } } },
    // The key of a record is the id of its document, so a redelivery creates no second document.
    duplicates: 'never',
    ordered: false,
    invalid: [
      { config: { 'connection.url': 'http://127.0.0.1:1' }, key: 'connection.url' },
      { config: { 'batch.size': '0' }, key: 'batch.size' },
    ],
    failing: {
      'connection.url': 'http://127.0.0.1:1',
      'connection.username': 'me',
      'connection.password': 'geheim-123',
      'max.retries': '0',
    },
  })
  for (const check of checks) test(check.name, check.run)
})
