import { messageOf, type Props, SinkConnector, type ValidateContext } from 'millrace/connect'
import { type Answer, causeOf, reasonOf } from './answer.ts'
import { ElasticsearchClient } from './client.ts'
import { config, type ElasticsearchConfig } from './config.ts'
import { validateTogether } from './settings.ts'
import { ElasticsearchSinkTask } from './task.ts'

/** Writes topics into Elasticsearch, with the configuration of Confluent's connector. */
export class ElasticsearchSinkConnector extends SinkConnector<typeof config> {
  readonly config = config
  readonly taskClass = ElasticsearchSinkTask

  /**
   * Checks the rules about several keys. If all keys are valid, checks that the cluster responds
   * and accepts the credentials.
   */
  override async validate(settings: ElasticsearchConfig, context: ValidateContext): Promise<void> {
    const { configs, values, signal, addError } = context
    validateTogether(configs, values, addError)
    if (values.some(v => v.errors.length > 0)) return
    let client: ElasticsearchClient | null = null
    try {
      client = new ElasticsearchClient(settings)
      const answer = await client.send({ method: 'GET', path: '/' }, signal)
      if (isRefusedLogin(answer)) {
        const why = `Elasticsearch refused the login (${answer.status}): ${reasonOf(answer.body)}`
        for (const name of loginKeys(configs)) addError(name, why)
      }
    } catch (error) {
      addError(configs['connection.cloud.id'] ? 'connection.cloud.id' : 'connection.url', messageOf(error))
    } finally {
      await client?.close()
    }
  }
}

/**
 * Whether the credentials are wrong. Valid credentials may lack the privilege to read the version
 * of the cluster.
 */
function isRefusedLogin({ status, body }: Answer): boolean {
  return status === 401 || (status === 403 && causeOf(body)?.type !== 'security_exception')
}

function loginKeys(props: Props): string[] {
  if (props['connection.api.key']) return ['connection.api.key']
  if (props['connection.bearer.token']) return ['connection.bearer.token']
  return ['connection.username', 'connection.password']
}
