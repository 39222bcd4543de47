/** The values of `schema.name.adjustment.mode` and `field.name.adjustment.mode`. */
export const ADJUSTMENT_MODES = ['none', 'avro', 'avro_unicode'] as const
export type AdjustmentMode = (typeof ADJUSTMENT_MODES)[number]

const LETTER = /[A-Za-z]/
const DIGIT = /[0-9]/

/**
 * Returns a name that is valid in Avro, as Debezium does. `avro` replaces every invalid character
 * with `_`, and inserts `_` before a leading digit. `avro_unicode` replaces invalid characters, and
 * `_` itself, with `_uXXXX`, so that two names never collide. Schema names keep their dots.
 */
function adjust(name: string, mode: AdjustmentMode, dots: boolean): string {
  if (mode === 'none') return name
  const unicode = mode === 'avro_unicode'
  const replace = (c: string) => (unicode ? `_u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : '_')
  let out = ''
  for (let i = 0; i < name.length; i++) {
    const c = name[i]!
    const valid = LETTER.test(c) || (c === '_' && !unicode) || (i > 0 && (DIGIT.test(c) || (c === '.' && dots)))
    if (valid) out += c
    else out += !unicode && i === 0 && DIGIT.test(c) ? `_${c}` : replace(c)
  }
  return out
}

export const adjustSchemaName = (name: string, mode: AdjustmentMode): string => adjust(name, mode, true)
export const adjustFieldName = (name: string, mode: AdjustmentMode): string => adjust(name, mode, false)
