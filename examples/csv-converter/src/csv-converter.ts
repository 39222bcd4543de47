import {
  type ConfigValues,
  type Converter,
  DataError,
  defineConfig,
  getField,
  key,
  primitive,
  type Schema,
  type SchemaAndValue,
  type Struct,
  struct,
} from 'millrace/connect'
import { readLine, writeLine } from './csv.ts'

const config = defineConfig({
  columns: key.list({
    importance: 'HIGH',
    documentation: 'The fields of an object in the order of the columns.',
  }),
})

const TEXT = primitive('string', { optional: true })

/**
 * Converts flat objects to lines of CSV and back. All columns are read as strings. An empty column
 * is read as null.
 */
export class CsvConverter implements Converter<typeof config> {
  readonly config = config
  #columns: readonly string[] = []
  #schema: Schema = struct({})

  configure(settings: ConfigValues<typeof config>): void {
    this.#columns = settings.columns
    this.#schema = struct(Object.fromEntries(settings.columns.map(name => [name, TEXT])), { optional: true })
  }

  fromConnectData(topic: string, _schema: Schema | null, value: unknown): Buffer | null {
    if (value === null || value === undefined) return null
    if (typeof value !== 'object') throw new DataError(`CsvConverter needs an object for topic ${topic}`)
    return Buffer.from(writeLine(this.#columns.map(name => textOf(getField(value as Struct, name)))))
  }

  toConnectData(topic: string, bytes: Buffer | null): SchemaAndValue {
    if (bytes === null) return { schema: this.#schema, value: null }
    const fields = readLine(bytes.toString())
    if (fields?.length !== this.#columns.length)
      throw new DataError(`a record of topic ${topic} does not have ${this.#columns.length} columns`)
    const value = Object.fromEntries(this.#columns.map((name, n) => [name, fields[n] === '' ? null : fields[n]]))
    return { schema: this.#schema, value }
  }
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'object') throw new DataError('CsvConverter needs fields without objects in them')
  return String(value)
}
