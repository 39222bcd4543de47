import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ApiKey, apis } from './api-keys.ts'
import { ErrorCode, errorMessage, errorName, isRetriableCode } from './error-codes.ts'
import { encode } from './schema/codec.ts'
import type { Field, Fields, MessageDeclaration } from './schema/declare.ts'
import { messageArbitrary } from './test-support/arbitrary.ts'
import { allDeclarations, versionsOf } from './test-support/declarations.ts'
import { definitionsIn, hasJava, kafkaLibsOrSkip, runJava } from './test-support/jars.ts'

const JARS = ['kafka-clients', 'kafka-metadata', 'kafka-group-coordinator', 'kafka-transaction-coordinator']
const libs = kafkaLibsOrSkip()

interface KafkaField {
  readonly name: string
  readonly type: string
  readonly versions?: string
  readonly nullableVersions?: string
  readonly tag?: number
  readonly taggedVersions?: string
  readonly default?: unknown
  readonly ignorable?: boolean
  readonly fields?: readonly KafkaField[]
}

interface KafkaDefinition {
  readonly name: string
  readonly type: string
  readonly apiKey?: number
  readonly validVersions: string
  readonly flexibleVersions: string
  readonly latestVersionUnstable?: boolean
  readonly fields: readonly KafkaField[]
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly KafkaField[] }[]
}

/** A form of a field to which our declarations and Kafka's definitions can be converted. */
interface Plain {
  readonly name: string
  readonly type: string
  readonly versions: string
  readonly nullable: string
  readonly tag: string
  readonly default: string
  readonly ignorable: boolean
  readonly fields: readonly Plain[]
}

function ours(fields: Fields): Plain[] {
  return Object.entries(fields).map(([name, f]) => ({
    name,
    type: (f.kind === 'array' ? '[]' : '') + (f.element ?? (f.fields ? 'struct' : f.kind)),
    versions: f.versions,
    nullable: f.options.nullable ?? 'none',
    tag: f.options.tag === undefined ? '' : `${f.options.tag} in ${f.options.tagged}`,
    default: ourDefault(f),
    ignorable: f.options.ignorable ?? false,
    fields: f.fields ? ours(f.fields) : [],
  }))
}

function ourDefault(field: Field): string {
  const value = field.options.default
  if (value === null) return 'null'
  if (value !== undefined) return value === 2 ** 63 ? '9223372036854775807' : String(value)
  if (field.fields || field.kind === 'array') return ''
  return field.kind === 'bool' ? 'false' : /int|float/.test(field.kind) ? '0' : ''
}

function theirs(fields: readonly KafkaField[], definition: KafkaDefinition): Plain[] {
  return fields.map(f => {
    const base = f.type.trim().replace('[]', '')
    const common = definition.commonStructs?.find(s => s.name === base)
    const inner = f.fields ?? common?.fields
    return {
      name: f.name[0]!.toLowerCase() + f.name.slice(1),
      type: (f.type.includes('[]') ? '[]' : '') + (inner ? 'struct' : base),
      // As in Kafka's generator, a tagged field without `versions` exists in the versions in which
      // it is tagged.
      versions: f.versions ?? f.taggedVersions ?? '',
      nullable: f.nullableVersions ?? 'none',
      tag: f.tag === undefined ? '' : `${f.tag} in ${f.taggedVersions}`,
      default: theirDefault(f, base),
      ignorable: f.ignorable ?? false,
      fields: inner ? theirs(inner, definition) : [],
    }
  })
}

function theirDefault(field: KafkaField, base: string): string {
  if (field.default === null || field.default === 'null') return 'null'
  const number = /^u?int|^float/.test(base) && !field.type.includes('[]')
  if (field.default !== undefined && field.default !== '') {
    const text = String(field.default)
    return number && text !== '9223372036854775807' ? String(Number(text)) : text
  }
  if (base === 'bool') return 'false'
  return number ? '0' : ''
}

describe.skipIf(libs === null)("Kafka's message definitions", () => {
  const definitions = new Map(JARS.flatMap(jar => [...definitionsIn(libs!, jar)])) as Map<string, KafkaDefinition>

  test.each(allDeclarations.map(declaration => [declaration.name, declaration] as const))(
    'define %s as we do',
    (name, declaration) => {
      const definition = definitions.get(name)
      expect(definition, `${name} is in the jars`).toBeDefined()
      expect(shapeOf(declaration)).toEqual({
        apiKey: definition!.apiKey,
        versions: definition!.validVersions,
        flexible: definition!.flexibleVersions,
        latestVersionUnstable: definition!.latestVersionUnstable ?? false,
      })
      expect(ours(declaration.fields)).toEqual(theirs(definition!.fields, definition!))
    },
  )

  test('are all found in the jars', () => {
    expect(definitions.size).toBeGreaterThan(200)
  })
})

function shapeOf(declaration: MessageDeclaration): object {
  return {
    apiKey: declaration.apiKey,
    versions: declaration.versions,
    flexible: declaration.flexible,
    latestVersionUnstable: declaration.latestVersionUnstable ?? false,
  }
}

describe.skipIf(libs === null || !hasJava())("Kafka's own code", () => {
  test('decodes our bytes of every message in every version, and encodes the result to the same bytes', {
    timeout: 120_000,
  }, () => {
    const lines: string[] = []
    for (const declaration of allDeclarations)
      for (const version of versionsOf(declaration)) {
        const values = [{}, ...fc.sample(messageArbitrary(declaration, version), 10)]
        for (const value of values) {
          const hex = Buffer.concat(encode(declaration, version, value)).toString('hex')
          lines.push(`${declaration.name} ${version} ${hex}`.trimEnd())
        }
      }
    const answers = runJava(libs!, 'KafkaCodec.java', ['messages'], lines)
    expect(answers.length).toBe(lines.length)
    const differing = lines.filter((line, i) => answers[i] !== `=${line.split(' ')[2] ?? ''}`)
    const shown = differing.slice(0, 5).map(line => `${line}\n${answers[lines.indexOf(line)]}`)
    expect(shown).toEqual([])
  })

  test('has the same error codes, names and messages', () => {
    const rows = runJava(libs!, 'KafkaCodec.java', ['errors'], []).map(line => line.split('\t'))
    expect(Object.keys(ErrorCode).length).toBe(rows.length)
    const mine = rows.map(([code]) => {
      const number = Number(code)
      return [code, errorName(number), String(isRetriableCode(number)), errorMessage(number)]
    })
    expect(mine).toEqual(rows)
  })

  test('has the same APIs in the same versions', () => {
    const rows = runJava(libs!, 'KafkaCodec.java', ['apis'], []).map(line => line.split('\t'))
    expect(Object.entries(ApiKey).map(([name, key]) => [String(key), name])).toEqual(
      rows.map(([key, name]) => [key, name]),
    )
    for (const api of apis.values()) {
      const row = rows.find(([key]) => Number(key) === api.key)
      expect([api.name, api.minVersion, api.maxVersion]).toEqual([row![1], Number(row![2]), Number(row![3])])
    }
  })
})
