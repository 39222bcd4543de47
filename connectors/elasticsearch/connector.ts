import { type ConfigValue, messageOf, type Props, SinkConnector } from 'millrace/connect'
import { type Answer, causeOf, reasonOf } from './answer.ts'
import { ElasticsearchClient } from './client.ts'
import { config } from './config.ts'
import { readSettings, validateTogether } from './settings.ts'
import { ElasticsearchSinkTask } from './task.ts'
import { version } from './version.ts'

/** Writes topics into Elasticsearch, with the configuration of Confluent's connector. */
export class ElasticsearchSinkConnector extends SinkConnector {
  readonly version = version
  readonly config = config
  readonly taskClass = ElasticsearchSinkTask
  #props: Props = {}

  override start(props: Props): void {
    readSettings(props)
    this.#props = props
  }

  override taskConfigs(maxTasks: number): Props[] {
    return Array.from({ length: maxTasks }, () => this.#props)
  }

  override stop(): void {}

  /** Checks what lies between keys; then, where that is well, that the cluster answers and takes the login. */
  override async validate(props: Props, values: ConfigValue[], signal: AbortSignal): Promise<ConfigValue[]> {
    validateTogether(props, values)
    if (values.some(v => v.errors.length > 0)) return values
    const complain = (name: string, message: string) => values.find(v => v.name === name)?.errors.push(message)
    let client: ElasticsearchClient | null = null
    try {
      client = new ElasticsearchClient(readSettings(props).raw)
      const answer = await client.send({ method: 'GET', path: '/' }, signal)
      if (isRefusedLogin(answer)) {
        const why = `Elasticsearch refused the login (${answer.status}): ${reasonOf(answer.body)}`
        for (const name of loginKeys(props)) complain(name, why)
      }
    } catch (error) {
      complain(props['connection.cloud.id'] ? 'connection.cloud.id' : 'connection.url', messageOf(error))
    } finally {
      await client?.close()
    }
    return values
  }
}

/**
 * Whether the credentials are wrong, rather than not allowed to read the version of the cluster.
 */
function isRefusedLogin({ status, body }: Answer): boolean {
  return status === 401 || (status === 403 && causeOf(body)?.type !== 'security_exception')
}

function loginKeys(props: Props): string[] {
  if (props['connection.api.key']) return ['connection.api.key']
  if (props['connection.bearer.token']) return ['connection.bearer.token']
  return ['connection.username', 'connection.password']
}
