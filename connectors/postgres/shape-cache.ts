import { makeShape, type ShapeContext, type ShapeInput, signatureOf, type TableShape } from './table-shape.ts'

/** Caches the shape of each table, with its schemas, until the table changes. */
export class ShapeCache {
  readonly #context: ShapeContext
  readonly #byTable = new Map<string, TableShape>()

  constructor(context: ShapeContext) {
    this.#context = context
  }

  get(input: ShapeInput): TableShape {
    const id = `${input.name.schema}\0${input.name.table}`
    const known = this.#byTable.get(id)
    if (known && known.signature === signatureOf(input)) return known
    const shape = makeShape(input, this.#context)
    this.#byTable.set(id, shape)
    return shape
  }
}
