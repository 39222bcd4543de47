import type { Field, Fields, MessageDeclaration, ScalarType } from './declare.ts'
import { inVersions } from './versions.ts'

/** A field as one version of a message has it. */
export interface LaidField {
  readonly name: string
  /** With the names of the structs around it, for errors. */
  readonly path: string
  readonly kind: Field['kind']
  readonly element: ScalarType | undefined
  readonly struct: Layout | undefined
  /** Whether this version has the field at all. */
  readonly present: boolean
  readonly nullable: boolean
  /** The tag, or -1 for a field that stands in line. */
  readonly tag: number
  readonly ignorable: boolean
  /** Undefined: the zero value of its kind. */
  readonly defaultValue: string | number | boolean | null | undefined
}

/** A struct as one version of a message has it. */
export interface Layout {
  /** Counts the structs of a message, for names in generated code. */
  readonly id: number
  readonly fields: readonly LaidField[]
  readonly flexible: boolean
  /** The least number of bytes that it takes. */
  readonly leastSize: number
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

/** The least number of bytes of a value that is not a struct. */
export function leastSize(kind: Field['kind'], flexible: boolean): number {
  return FIXED[kind] ?? (flexible ? 1 : kind === 'string' ? 2 : 4)
}

/** Lays out a message for a version; `all` receives every struct in it, the message itself last. */
export function layOut(declaration: MessageDeclaration, version: number, all: Layout[]): Layout {
  const flexible = inVersions(declaration.flexible, version)
  const lay = (fields: Fields, path: string): Layout => {
    const laid = Object.entries(fields).map(([name, field]) => layField(name, field, `${path}.${name}`))
    let least = flexible ? 1 : 0
    for (const field of laid)
      if (field.present && field.tag < 0)
        least +=
          field.kind === 'struct' ? (field.nullable ? 1 : field.struct!.leastSize) : leastSize(field.kind, flexible)
    const layout: Layout = { id: all.length, fields: laid, flexible, leastSize: least }
    all.push(layout)
    return layout
  }
  const layField = (name: string, field: Field, path: string): LaidField => {
    const { options } = field
    const present = inVersions(field.versions, version)
    const tagged = present && options.tagged !== undefined && inVersions(options.tagged, version)
    return {
      name,
      path,
      kind: field.kind,
      element: field.element,
      struct: field.fields ? lay(field.fields, path) : undefined,
      present,
      nullable: options.nullable !== undefined && inVersions(options.nullable, version),
      tag: tagged ? options.tag! : -1,
      ignorable: options.ignorable ?? false,
      defaultValue: options.default,
    }
  }
  return lay(declaration.fields, declaration.name)
}
