import { type ConfigValue, messageOf, type Props, SinkConnector } from '../../core/connect/index.ts'
import { config } from './config.ts'
import { ElasticsearchHttp, reasonOf } from './http.ts'
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
    let http: ElasticsearchHttp | null = null
    try {
      const settings = readSettings(props)
      http = new ElasticsearchHttp(settings.raw)
      const answer = await http.send('GET', '/', null, 'application/json', signal)
      if (answer.status === 401 || answer.status === 403) {
        const why = `Elasticsearch refused the login (${answer.status}): ${reasonOf(answer.body)}`
        const names = props['connection.api.key']
          ? ['connection.api.key']
          : ['connection.username', 'connection.password']
        for (const name of names) complain(name, why)
      }
    } catch (error) {
      complain('connection.url', messageOf(error))
    } finally {
      await http?.close()
    }
    return values
  }
}
