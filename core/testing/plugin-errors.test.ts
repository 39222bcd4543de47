/**
 * Tests mistakes in plugins. A plugin in JavaScript can pass and return values of any type, and
 * each mistake must give an error that names the value. An unhandled rejection would end a task
 * thread. It fails these tests.
 */
import { expect, test } from 'vitest'
import { JsonConverter } from '../../converters/json/json-converter.ts'
import { messageOf } from '../common/errors/error-table.ts'
import {
  type Converter,
  type Predicate,
  primitive,
  SinkConnector,
  type SinkRecord,
  SinkTask,
  SourceConnector,
  type SourceRecord,
  SourceTask,
  struct,
  type Transformation,
} from '../connect/index.ts'
import { alterOffsets, inspectPlugin } from '../worker/task/host/plugin-info.ts'
import { registerPlugin } from '../worker/task/host/plugin-loader.ts'
import { validateConnector } from './configured.ts'
import type { Harness, HarnessOptions } from './harness.ts'
import { SinkHarness } from './sink-harness.ts'
import { SourceHarness } from './source-harness.ts'

type Overrides = Readonly<Record<string, unknown>>
type Options = Partial<Omit<HarnessOptions, 'config'>>

const GOOD: SourceRecord = { topic: 't', value: 'x', sourcePartition: { p: 1 }, sourceOffset: { o: 1 } }
const STRUCT = struct({ a: struct({ b: primitive('int32') }) })

/** Returns a subclass. Its instances have these members, which replace those of the base class. */
function withMembers<T extends object>(base: new () => T, members: Overrides): new () => T {
  const named = class Plugin extends (base as new () => object) {
    constructor() {
      super()
      for (const [name, value] of Object.entries(members))
        Object.defineProperty(this, name, { value, configurable: true, writable: true, enumerable: true })
    }
  }
  return named as unknown as new () => T
}

class GoodSourceTask extends SourceTask {
  #polled = false
  override start(): void {}
  override async poll(): Promise<readonly SourceRecord[] | null> {
    if (this.#polled) await new Promise(resolve => this.context.signal.addEventListener('abort', resolve))
    this.#polled = true
    return this.context.signal.aborted ? null : [GOOD]
  }
}

class GoodSinkTask extends SinkTask {
  override start(): void {}
  override async put(): Promise<void> {}
}

class Source extends SourceConnector {
  readonly config = {}
  readonly taskClass: new () => SourceTask = GoodSourceTask
}

class Sink extends SinkConnector {
  readonly config = {}
  readonly taskClass: new () => SinkTask = GoodSinkTask
}

const source = (task: Overrides, connector: Overrides = {}, options: Options = {}) =>
  new SourceHarness(withMembers(Source, { taskClass: withMembers(GoodSourceTask, task), ...connector }), {
    config: {},
    validate: false,
    ...options,
  })

const sink = (task: Overrides, options: Options = {}) =>
  new SinkHarness(withMembers(Sink, { taskClass: withMembers(GoodSinkTask, task) }), {
    config: { 'errors.tolerance': 'all' },
    validate: false,
    ...options,
  })

const polling = (record: Overrides, options: Options = {}) =>
  source({ poll: async () => [{ ...GOOD, ...record }] }, {}, options)

/** Returns a harness for a sink whose `put` calls `use` for each record. */
const putting = (use: (context: SinkTask['context'], record: SinkRecord) => unknown) =>
  sink({
    async put(this: SinkTask, records: SinkRecord[]) {
      for (const record of records) use(this.context, record)
    },
  })

/** Returns a harness for a source whose task calls `use` in `start`. */
const starting = (use: (context: SourceTask['context']) => unknown) =>
  source({
    async start(this: SourceTask) {
      await use(this.context)
    },
  })

const transforming = (apply: unknown) =>
  source({}, {}, { transforms: [{ type: plugin<Transformation>('Mask', { apply }) }] })
const predicated = (result: unknown) =>
  source(
    {},
    {},
    {
      transforms: [
        {
          type: plugin<Transformation>('Mask', { apply: (r: unknown) => r }),
          predicate: { type: plugin<Predicate>('IsOdd', { test: () => result }) },
        },
      ],
    },
  )

/** Returns a class with this name. Its instances have these members. */
function plugin<T extends object>(name: string, members: Overrides): new () => T {
  const type = withMembers(Object as unknown as new () => T, members)
  Object.defineProperty(type, 'name', { value: name })
  return type
}

const CONVERTER = { fromConnectData: () => null, toConnectData: () => ({ schema: null, value: null }) }
const converting = (members: Overrides) =>
  source({}, {}, { valueConverter: { type: plugin<Converter>('Csv', { ...CONVERTER, ...members }) } })
const reading = (returned: unknown) =>
  new SinkHarness(Sink, {
    config: {},
    valueConverter: {
      type: plugin<Converter>('Csv', { fromConnectData: () => Buffer.from('x'), toConnectData: () => returned }),
    },
  })

/** Starts the connector, sends a record to a sink, and returns the message of the failure. */
async function failureOf(harness: Harness): Promise<string> {
  await using running = harness
  try {
    await running.start()
    if (running instanceof SinkHarness) running.send({ key: 'k', value: 'v' })
    return (await running.failed()).message
  } catch (error) {
    return messageOf(error)
  }
}

const thrown = (value: unknown) => () => {
  throw value
}

test.each<[string, () => Harness, string]>([
  [
    'poll returns text',
    () => source({ poll: async () => 'x' }),
    'poll of the task returned a string instead of a list',
  ],
  ['poll returns a list of lists', () => source({ poll: async () => [[GOOD]] }), 'a list with an Array at index 0'],
  ['a record has no topic', () => polling({ topic: undefined }), 'has the invalid topic "undefined"'],
  ['a partition is text', () => polling({ partition: '0' }), 'its partition is "0", not null or an integer'],
  ['a partition is negative', () => polling({ partition: -1 }), 'its partition is -1, not null or an integer'],
  ['a timestamp is a Date', () => polling({ timestamp: new Date(0) }), 'its timestamp is a Date, not null or a number'],
  ['a header is text', () => polling({ headers: ['a'] }), 'headers[0] is a string, not a header'],
  ['headers are an object', () => polling({ headers: { a: 1 } }), 'headers is an Object, not a list'],
  [
    'a value is a list, and its schema is a struct',
    () => polling({ value: [1], valueSchema: STRUCT }, { valueConverter: { type: JsonConverter } }),
    'the value is of type Array, but its schema is struct',
  ],
  [
    'a field is a list, and its schema is a struct',
    () => polling({ value: { a: [1] }, valueSchema: STRUCT }, { valueConverter: { type: JsonConverter } }),
    'the value.a is of type Array, but its schema is struct',
  ],
  [
    'a key is text, and its schema is a struct',
    () => polling({ key: 'k', keySchema: STRUCT }, { keyConverter: { type: JsonConverter } }),
    'the key is of type string, but its schema is struct',
  ],
  ['unwritten is true', () => polling({ unwritten: true }), 'its field unwritten is true, not "progress" or an Error'],
  ['an offset is text', () => polling({ sourceOffset: '5' }), 'sourceOffset is a string, not an object'],
  ['poll throws an object', () => source({ poll: thrown({ code: 5 }) }), 'that is not an Error: { code: 5 }'],
  ['poll throws undefined', () => source({ poll: thrown(undefined) }), 'undefined was thrown'],
  ['start of a task throws an object', () => source({ start: thrown({ code: 5 }) }), 'not an Error: { code: 5 }'],
  [
    'an async commitRecords rejects',
    () => source({ commitRecords: async () => thrown(new Error('cannot mark them'))() }),
    'cannot mark them',
  ],
  [
    'waits gets a number',
    () => starting(c => c.waits?.(5 as never)),
    'waits was called with 5 instead of a string or null',
  ],
  [
    'waits gets a time as text',
    () => starting(c => c.waits?.('x', 'soon' as never)),
    'waits was called with "soon" instead',
  ],
  [
    'offset gets text',
    () => starting(c => c.offsets.offset('p' as never)),
    'offsets.offset was called with "p" instead of a',
  ],
  ['offset gets a Date', () => starting(c => c.offsets.offset({ at: new Date(0) })), 'sourcePartition.at is a Date'],
  [
    'offsets gets an object',
    () => starting(c => c.offsets.offsets({} as never)),
    'offsets.offsets was called with an Object',
  ],
  [
    'a metric has a number as its function',
    () => starting(c => c.pluginMetrics?.().addMetric({ name: 'rows', description: '' }, 5 as never)),
    'the metric rows cannot be added: its value is 5, not a function',
  ],
  [
    'a metric has no name',
    () => starting(c => c.pluginMetrics?.().addMetric({ description: '' } as never, () => 5)),
    'the metric undefined cannot be added: the name is not a string',
  ],
  ['a task has no poll', () => source({ poll: undefined }), '(Plugin) is declared incorrectly: it has no method poll'],
  ['taskClass is missing', () => source({}, { taskClass: undefined }), 'taskClass is undefined, not a class'],
  ['version is a function', () => source({}, { version: () => '1' }), 'version is a function, not a string'],
  ['config is a function', () => source({}, { config: () => ({}) }), 'config is a function, not an object'],
  [
    'a key has an unknown type',
    () => source({}, { config: { a: { type: 'int', importance: 'LOW', documentation: '' } } }),
    'the type is "int" in the declaration of the key a',
  ],
  ['start of a connector throws an object', () => source({}, { start: thrown({ code: 5 }) }), '{ code: 5 }'],
  [
    'taskConfigs returns text',
    () => source({}, { taskConfigs: () => 'x' }),
    'taskConfigs() of the connector returned a string',
  ],
  [
    'taskConfigs returns null in a list',
    () => source({}, { taskConfigs: () => [null] }),
    'a list with null at index 0',
  ],
  [
    'a task setting is a number',
    () => source({}, { taskConfigs: () => [{ n: 3 }] }),
    'the value of n at index 0 is a number',
  ],
  [
    'apply returns nothing',
    () => transforming(() => undefined),
    'apply of Mask returned undefined instead of a record',
  ],
  [
    'apply is async',
    () => transforming(async (r: unknown) => r),
    'apply of Mask returned a Promise instead of a record',
  ],
  [
    'apply returns a value',
    () => transforming(() => ({ a: 1 })),
    'apply of Mask returned an Object without a list of headers',
  ],
  [
    'apply is missing',
    () => transforming(undefined),
    'the plugin Mask is declared incorrectly: it has no method apply',
  ],
  ['test returns a number', () => predicated(1), 'test of IsOdd returned 1 instead of true or false'],
  [
    'test is async',
    () => predicated(Promise.resolve(true)),
    'test of IsOdd returned a Promise instead of true or false',
  ],
  [
    'fromConnectData returns text',
    () => converting({ fromConnectData: () => 'x' }),
    'fromConnectData of Csv returned a string',
  ],
  [
    'an async fromConnectData rejects',
    () => converting({ fromConnectData: async () => thrown(new Error('x'))() }),
    'fromConnectData of Csv returned a Promise instead of a Buffer or null',
  ],
  [
    'fromConnectText returns a number',
    () => converting({ fromConnectText: () => 5 }),
    'fromConnectText of Csv returned a number',
  ],
  [
    'toConnectData returns nothing',
    () => reading(undefined),
    'toConnectData of Csv returned undefined instead of an object',
  ],
  [
    'toConnectData returns no schema',
    () => reading({ value: 1 }),
    'toConnectData of Csv returned an Object instead of',
  ],
  [
    'configure is async',
    () => converting({ configure: async () => thrown(new Error('x'))() }),
    'configure of Csv returned a Promise',
  ],
  [
    'preCommit returns nothing',
    () => sink({ preCommit: async () => undefined }),
    'preCommit of the task returned undefined',
  ],
  ['put throws an object', () => sink({ put: thrown({ code: 5 }) }), 'that is not an Error: { code: 5 }'],
  ['timeout gets text', () => putting(c => c.timeout('x' as never)), 'timeout was called with "x" instead of a number'],
  [
    'seek gets text',
    () => putting(c => c.seek('x' as never)),
    'seek was called with a string instead of a list of offsets',
  ],
  [
    'pause gets a partition as text',
    () => putting(c => c.pause([{ topic: 't', partition: '0' as never }])),
    'pause was called with a list with { topic: "t", partition: "0" } instead of',
  ],
  ['resume gets text', () => putting(c => c.resume('x' as never)), 'resume was called with "x" instead of a list'],
  [
    'report gets an empty object',
    () => putting(c => c.errantRecordReporter?.report({} as never, new Error('x'))),
    'report was called with an Object without a topic instead of a record of this task',
  ],
])('the failure of the connector names the mistake: %s', async (_mistake, harness, message) => {
  expect(await failureOf(harness())).toContain(message)
})

test('a converter may return a Uint8Array instead of a Buffer', async () => {
  await using harness = converting({ fromConnectData: () => new TextEncoder().encode('é') })
  await harness.start()
  await harness.take(1)
  expect(harness.log.records('t')[0]?.value).toEqual(Buffer.from('é'))
})

test.each([
  [['a'], 'a', 'The plugin added an error to a without a message (undefined). This is a bug'],
  [['a', ''], 'a', 'The plugin added an error to a without a message (""). This is a bug'],
  [['a', new Error('no such host')], 'a', 'no such host'],
  [[undefined, 'x'], 'a', 'addError was called with undefined instead of the name of a key'],
])('addError(%j) in validate adds an error with a message to a key', async (args, key, message) => {
  const config = { a: { type: 'STRING', default: null, importance: 'LOW', documentation: '' } }
  const validate = (_: unknown, { addError }: { addError: (...args: unknown[]) => void }) => addError(...args)
  const values = await validateConnector(new (withMembers(Source, { config, validate }))(), {})
  expect(values.find(v => v.name === key)?.errors).toEqual([expect.stringContaining(message)])
})

test('if validate throws an object that is not an Error, the first key gets an error', async () => {
  const config = { a: { type: 'STRING', default: null, importance: 'LOW', documentation: '' } }
  const values = await validateConnector(new (withMembers(Source, { config, validate: thrown({ code: 5 }) }))(), {})
  expect(values[0]?.errors).toEqual(['an object was thrown that is not an Error: { code: 5 }'])
})

test('alterOffsets fails if it returns something other than true or false', async () => {
  using registered = registerPlugin(withMembers(Source, { alterOffsets: () => 'yes' }), '1')
  const altered = alterOffsets({ plugin: registered.ref, props: {} }, '[]')
  await expect(altered).rejects.toThrow('alterOffsets of Plugin returned "yes" instead of true or false')
})

test('the inspection of a plugin fails if the declaration of a key is invalid', async () => {
  using registered = registerPlugin(withMembers(Source, { config: { a: 'text' } }), '1')
  const inspected = inspectPlugin(registered.ref)
  await expect(inspected).rejects.toThrow('there is a string instead of an object in the declaration of the key a')
})
