import type { Validator } from '../../common/config/define.ts'
import { distinctItems, listOf } from '../../common/config/validators.ts'

const ASSIGNORS = ['range', 'roundrobin', 'sticky', 'cooperative-sticky'] as const
export type AssignorName = (typeof ASSIGNORS)[number]

const JAVA_CLASSES: ReadonlyMap<string, AssignorName> = new Map([
  ['org.apache.kafka.clients.consumer.RangeAssignor', 'range'],
  ['org.apache.kafka.clients.consumer.RoundRobinAssignor', 'roundrobin'],
  ['org.apache.kafka.clients.consumer.StickyAssignor', 'sticky'],
  ['org.apache.kafka.clients.consumer.CooperativeStickyAssignor', 'cooperative-sticky'],
])

const namesOf = (value: unknown) => (value as readonly string[]).map(item => JAVA_CLASSES.get(item) ?? item)
const known = listOf(ASSIGNORS)
const distinct = distinctItems({ allowEmpty: false })

/**
 * Validates a list of assignors, by short name or by Java class. The parsed list contains the short
 * names.
 */
export const assignorList: Validator<AssignorName> = {
  describe: `list of ${ASSIGNORS.join(', ')}, or of their Java classes`,
  values: ASSIGNORS,
  complete: true,
  ofNull: distinct.ofNull!,
  check(value, name) {
    const wrong = distinct.check(value, name)
    if (wrong !== null || value === null) return wrong
    const unknown = known.check(namesOf(value), name)
    return unknown && `Invalid value ${(value as string[]).join(',')} for configuration ${name}: ${unknown}`
  },
  canonical: namesOf,
}
