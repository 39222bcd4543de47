import { expect, test } from 'vitest'
import { config as elasticsearch } from '../../connectors/elasticsearch/config.ts'
import { sinkConfig, sourceConfig } from '../../connectors/file/config.ts'
import { postgresConfig } from '../../connectors/postgres/config.ts'
import { jsonConverterConfig } from '../../converters/json/config.ts'
import { BROKER_CONFIG } from '../../core/broker/config/broker-config.ts'
import { GROUP_CONFIG } from '../../core/broker/config/group-config.ts'
import { TOPIC_CONFIG } from '../../core/broker/config/topic-config.ts'
import { clientConfig } from '../../core/client/properties.ts'
import type { ConfigDef } from '../../core/common/config/define.ts'
import { commonKeys, standaloneKeys } from '../../core/worker/config/common-keys.ts'
import { commonConnectorKeys } from '../../core/worker/config/connector-keys.ts'
import { distributedKeys } from '../../core/worker/config/distributed-keys.ts'
import { restKeys } from '../../core/worker/config/rest-keys.ts'
import { sinkKeys, sourceKeys } from '../../core/worker/config/source-sink-keys.ts'

const declarations: readonly ConfigDef[] = [
  BROKER_CONFIG,
  TOPIC_CONFIG,
  GROUP_CONFIG,
  clientConfig,
  commonKeys,
  restKeys,
  distributedKeys,
  standaloneKeys,
  commonConnectorKeys(),
  sourceKeys,
  sinkKeys,
  sourceConfig,
  sinkConfig,
  postgresConfig,
  elasticsearch,
  jsonConverterConfig,
]
const keys = declarations.flatMap(def => Object.entries(def))

/** The unit that the documentation must name, by the name of the key. */
const UNITS: readonly (readonly [name: RegExp, text: RegExp])[] = [
  [/\.ms$/, /milliseconds/],
  [/\.seconds$/, /seconds/],
  [/\.minutes$/, /minutes/],
  [/\.hours$/, /hours/],
  [/\.bytes$/, /bytes/],
]

test('the documentation of every key consists of sentences', () => {
  expect(keys.length).toBeGreaterThan(500)
  const wrong = keys.filter(([, key]) => !/^[A-Za-z(].*\.$/s.test(key.documentation))
  expect(wrong.map(([name]) => name)).toEqual([])
  const reasons = keys.filter(([, key]) => key.noEffect !== undefined && !/^[A-Za-z].*\.$/s.test(key.noEffect))
  expect(reasons.map(([name]) => name)).toEqual([])
})

test('the documentation of every key with a unit in its name names this unit', () => {
  const isNumber = (type: string) => ['INT', 'LONG', 'SHORT', 'DOUBLE'].includes(type)
  const wrong = keys.filter(([name, key]) => {
    const unit = UNITS.find(([ending]) => ending.test(name))
    return unit !== undefined && isNumber(key.type) && !unit[1].test(key.documentation)
  })
  expect(wrong.map(([name]) => name)).toEqual([])
})
