/**
 * The parts of Java that the built-in transformations and converters reproduce, so that their
 * output equals Connect's: `import { hashMapOrder } from 'millrace/connect/java'`. Most plugins do
 * not need this entry point.
 */
export { JavaPattern } from '../common/regex/java-pattern.ts'
export { copyRecord } from './copy-record.ts'
export { anyDate } from './far-date.ts'
export { civil, epochDay, isoDate, isoTime } from './iso-time.ts'
export { javaDouble, javaFloat } from './java-floats.ts'
export { DEFAULT_TABLE, hashMapOrder, keysInOrder, tableOf, tableOfCopy } from './java-map.ts'
export { inHashMapOrder, inJavaOrder } from './java-order.ts'
export { isLogical, javaBigDecimal, javaDate, javaToString } from './java-text.ts'
export { propertyName } from './own.ts'
export { connectNumber, parseExactJson } from './values/exact-json.ts'
export { parseValue } from './values/parse-values.ts'
export { renderValue } from './values/render-values.ts'
