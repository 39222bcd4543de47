import type { RawConfig } from '../../common/config/parse.ts'
import { parseBrokerConfig } from '../config/broker-config.ts'
import { dynamicConfigs } from '../config/dynamic.ts'
import { applyRecords } from '../quorum/apply.ts'
import type { NewTopic } from '../quorum/controller-api.ts'
import type { Decision, DecisionContext } from '../quorum/decide-topics.ts'
import { EMPTY_IMAGE, type MetadataImage } from '../quorum/image.ts'
import { randomUuid } from '../quorum/meta-properties.ts'
import { startRecords } from '../quorum/registration.ts'

const REGISTRATION = { brokerId: 1, incarnationId: randomUuid(), endpoints: [], rack: null, logDirs: [randomUuid()] }

/**
 * A controller that keeps its metadata only in memory. Applies the records of each decision before
 * the next one.
 */
export class InMemoryController {
  image: MetadataImage = applyRecords(EMPTY_IMAGE, startRecords(EMPTY_IMAGE, REGISTRATION, 0), 1, 1)
  readonly #config

  constructor(settings: RawConfig = {}) {
    this.#config = parseBrokerConfig(settings)
  }

  get context(): DecisionContext {
    return {
      image: this.image,
      config: this.#config,
      dynamic: dynamicConfigs(this.image, 1),
      newId: randomUuid,
    }
  }

  run<T>(decide: (ctx: DecisionContext) => Decision<T>): Decision<T> {
    const decision = decide(this.context)
    this.image = applyRecords(this.image, decision.records, this.image.offset + decision.records.length, 1)
    return decision
  }
}

/** Returns a topic to create, by default with one partition and one replica. */
export function newTopic(name: string, o: Partial<NewTopic> & { set?: Record<string, string> } = {}): NewTopic {
  const configs = Object.entries(o.set ?? {}).map(([key, value]) => ({ name: key, value }))
  return { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs, ...o }
}
