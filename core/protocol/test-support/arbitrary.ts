import fc from 'fast-check'
import type { Field, Fields, MessageDeclaration, ScalarType } from '../schema/declare.ts'
import { inVersions } from '../schema/versions.ts'
import { ZERO_UUID } from '../uuid.ts'

const bits = (n: number) => fc.integer({ min: -(2 ** (n - 1)), max: 2 ** (n - 1) - 1 })
const buffer = fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes))

/** Generators of the values that a field of each type can hold, including extremes. */
const SCALARS: Record<ScalarType, fc.Arbitrary<unknown>> = {
  bool: fc.boolean(),
  int8: bits(8),
  int16: bits(16),
  uint16: fc.integer({ min: 0, max: 65535 }),
  int32: bits(32),
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  int64: fc.oneof(fc.maxSafeInteger(), bits(32), fc.constantFrom(-(2 ** 63), 2 ** 63)),
  float64: fc.double({ noNaN: true }),
  string: fc.string({ unit: 'binary', maxLength: 20 }).map(text => text.toWellFormed()),
  uuid: fc.oneof(
    fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytes => Buffer.from(bytes).toString('base64url')),
    fc.constant(ZERO_UUID),
  ),
  bytes: buffer,
  records: buffer,
}

/**
 * Returns a generator of a message in a version. Fields that the version does not have get their
 * defaults.
 */
export function messageArbitrary(declaration: MessageDeclaration, version: number): fc.Arbitrary<object> {
  return fieldsArbitrary(declaration.fields, version)
}

function fieldsArbitrary(fields: Fields, version: number): fc.Arbitrary<object> {
  const entries = Object.entries(fields).map(([name, field]) => [name, fieldArbitrary(field, version)] as const)
  return fc.record(Object.fromEntries(entries), { noNullPrototype: true })
}

function fieldArbitrary(field: Field, version: number): fc.Arbitrary<unknown> {
  if (!inVersions(field.versions, version)) return fc.constant(defaultOf(field))
  const value =
    field.kind === 'struct'
      ? fieldsArbitrary(field.fields!, version)
      : field.kind === 'array'
        ? fc.array(field.fields ? fieldsArbitrary(field.fields, version) : SCALARS[field.element!], { maxLength: 3 })
        : SCALARS[field.kind]
  const { nullable } = field.options
  return nullable !== undefined && inVersions(nullable, version) ? fc.option(value, { freq: 4 }) : value
}

/** Returns the default of a field, without using the code of the codec. */
export function defaultOf(field: Field): unknown {
  if (field.options.default !== undefined) return field.options.default
  if (field.kind === 'struct')
    return Object.fromEntries(Object.entries(field.fields!).map(([name, inner]) => [name, defaultOf(inner)]))
  if (field.kind === 'array') return []
  if (field.kind === 'bytes' || field.kind === 'records') return Buffer.alloc(0)
  if (field.kind === 'string') return ''
  if (field.kind === 'uuid') return ZERO_UUID
  return field.kind === 'bool' ? false : 0
}
