import type { Field, Fields, MessageDeclaration, ScalarType } from './declare.ts'
import { inVersions } from './versions.ts'

/** A field in one version of a message. */
export interface FieldLayout {
  readonly name: string
  /** The names of the message, the enclosing structs and the field, for error messages. */
  readonly path: string
  readonly kind: Field['kind']
  readonly element: ScalarType | undefined
  readonly struct: Layout | undefined
  /** Whether this version has the field. */
  readonly present: boolean
  readonly nullable: boolean
  /** The tag; -1 if the field is not tagged. */
  readonly tag: number
  readonly ignorable: boolean
  /** The default value; undefined means the zero value of the field's kind. */
  readonly defaultValue: string | number | boolean | null | undefined
}

/** A struct in one version of a message. */
export interface Layout {
  /** A number that is unique within the message. Generated code uses it in names. */
  readonly id: number
  readonly fields: readonly FieldLayout[]
  readonly flexible: boolean
  /** The minimum size of an encoded struct, in bytes. */
  readonly minSize: number
}

const FIXED: Partial<Record<Field['kind'], number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
}

/** Returns the minimum size in bytes of a value that is not a struct. */
export function minSize(kind: Field['kind'], flexible: boolean): number {
  return FIXED[kind] ?? (flexible ? 1 : kind === 'string' ? 2 : 4)
}

/**
 * Returns the layout of a message in a version. Adds the layouts of all structs to `all`, and
 * finally the layout of the message.
 */
export function layoutOf(declaration: MessageDeclaration, version: number, all: Layout[]): Layout {
  const flexible = inVersions(declaration.flexible, version)
  const structLayout = (fields: Fields, path: string): Layout => {
    const fieldLayouts = Object.entries(fields).map(([name, field]) => fieldLayout(name, field, `${path}.${name}`))
    let minimum = flexible ? 1 : 0
    for (const field of fieldLayouts)
      if (field.present && field.tag < 0)
        minimum +=
          field.kind === 'struct' ? (field.nullable ? 1 : field.struct!.minSize) : minSize(field.kind, flexible)
    const layout: Layout = { id: all.length, fields: fieldLayouts, flexible, minSize: minimum }
    all.push(layout)
    return layout
  }
  const fieldLayout = (name: string, field: Field, path: string): FieldLayout => {
    const { options } = field
    const present = inVersions(field.versions, version)
    const tagged = present && options.tagged !== undefined && inVersions(options.tagged, version)
    return {
      name,
      path,
      kind: field.kind,
      element: field.element,
      struct: field.fields ? structLayout(field.fields, path) : undefined,
      present,
      nullable: options.nullable !== undefined && inVersions(options.nullable, version),
      tag: tagged ? options.tag! : -1,
      ignorable: options.ignorable ?? false,
      defaultValue: options.default,
    }
  }
  return structLayout(declaration.fields, declaration.name)
}
