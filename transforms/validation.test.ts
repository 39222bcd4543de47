import { type Props, type Transformation, validateConfig } from 'millrace/connect'
import { configured } from 'millrace/testing'
import { expect, test } from 'vitest'
import { CastValue } from './cast.ts'
import { DropHeaders } from './drop-headers.ts'
import { InsertFieldValue } from './insert-field.ts'
import { MaskFieldValue } from './mask-field.ts'
import { ReplaceFieldValue } from './replace-field.ts'
import { ValueToKey } from './value-to-key.ts'

/** Returns the errors that POST /connectors reports for a configuration. */
const faults = (transformation: Transformation, props: Props) =>
  validateConfig(transformation.config ?? {}, props).flatMap(value => value.errors)

// ConfigDef.validate of Connect 4.3.1 also rejects each of these values.
const rejected: [() => Transformation, string, string[]][] = [
  [
    () => new CastValue(),
    'spec',
    ['v:bogus', 'a:int8,int8', 'int8,int16', 'a:', 'a:b:c', 'bytes', 'a:bytes', 'a:int8,', '', 'float', ','],
  ],
  [() => new MaskFieldValue(), 'fields', ['a,,b', 'a,a', '', ',']],
  [() => new ReplaceFieldValue(), 'exclude', ['a,,b', 'a,a', ',']],
  [() => new ReplaceFieldValue(), 'include', ['a,,b', 'a,a', ',']],
  [() => new ReplaceFieldValue(), 'renames', ['a', 'a:b:c', 'a:', 'a:b,', ',']],
  [() => new ValueToKey(), 'fields', ['a,,b', 'b,b', '']],
  [() => new DropHeaders(), 'headers', ['a,,b', 'b,b', '']],
]

test.each(rejected)('%s: invalid values of %s are rejected before the connector is created', (make, key, values) => {
  for (const value of values) {
    const transformation = make()
    expect(faults(transformation, { [key]: value }), `${key}=${value}`).not.toEqual([])
    expect(() => configured(transformation, { [key]: value }), `${key}=${value}`).toThrow()
  }
})

const accepted: [() => Transformation, Props][] = [
  [() => new CastValue(), { spec: ' a : INT8 ,b:Float64' }],
  [() => new CastValue(), { spec: 'a:int8,a:int16' }],
  [() => new CastValue(), { spec: ' string ' }],
  [() => new CastValue(), { spec: ':int8' }],
  [() => new MaskFieldValue(), { fields: ' a , b ' }],
  [() => new ReplaceFieldValue(), { exclude: '' }],
  [() => new ReplaceFieldValue(), { renames: ':b' }],
  [() => new InsertFieldValue(), { 'static.field': 's', 'static.value': '' }],
]

test.each(accepted)('%s accepts the configuration %o', (make, props) => {
  const transformation = make()
  expect(faults(transformation, props)).toEqual([])
  configured(transformation, props)
})

test('InsertField without a field to insert is rejected by configure', () => {
  for (const props of [{}, { 'static.field': 's' }, { 'static.value': 'v' }] as Props[]) {
    expect(() => configured(new InsertFieldValue(), props)).toThrow(/No field insertion configured|No value specified/)
  }
})
