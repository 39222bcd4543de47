import { nextTurn } from '../async/next-turn.ts'
import type { Family, Metric, Sample } from './metric.ts'

/** Prometheus' text format 0.0.4, or OpenMetrics 1.0.0. */
export type TextFormat = 'prometheus' | 'openmetrics'

export const CONTENT_TYPES: Readonly<Record<TextFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/**
 * The number of series to write before yielding to the event loop. Writing them takes about two
 * milliseconds.
 */
const SERIES_PER_TURN = 1000

/**
 * Writes families as text, in chunks. Yields to the event loop after each chunk, so that a broker
 * with many partitions continues to answer its clients during a scrape.
 */
export async function* writeText(families: Iterable<Family>, format: TextFormat): AsyncGenerator<string> {
  let chunk = ''
  let series = 0
  for (const { metric, samples } of families) {
    let head = headOf(metric, format)
    for (const sample of samples) {
      chunk += head + lineOf(metric, sample)
      head = ''
      if (++series % SERIES_PER_TURN > 0) continue
      yield chunk
      chunk = ''
      await nextTurn()
    }
  }
  yield format === 'openmetrics' ? `${chunk}# EOF\n` : chunk
}

function headOf({ name, type, help }: Metric, format: TextFormat): string {
  const open = format === 'openmetrics'
  // In OpenMetrics, the family of a counter is named without the suffix `_total`.
  const family = open && type === 'counter' ? name.replace(/_total$/, '') : name
  const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  const text = open ? escaped.replaceAll('"', '\\"') : escaped
  return `# HELP ${family} ${text}\n# TYPE ${family} ${open && type === 'untyped' ? 'unknown' : type}\n`
}

function lineOf({ name, labels }: Metric, [values, value, suffix = '']: Sample): string {
  let text = ''
  for (let i = 0; i < labels.length; i++) {
    const label = values[i]
    if (label === undefined || label === '') continue
    text += `${text === '' ? '{' : ','}${labels[i]}="${escapeLabel(label)}"`
  }
  return `${name}${suffix}${text === '' ? '' : `${text}}`} ${numberText(value)}\n`
}

function escapeLabel(text: string): string {
  return /["\\\n]/.test(text) ? text.replace(/["\\\n]/g, c => (c === '\n' ? '\\n' : `\\${c}`)) : text
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

/**
 * Returns the format that an Accept header prefers. Without a preference, this is Prometheus'
 * format.
 */
export function preferredFormat(accept: string | undefined): TextFormat {
  const quality = (type: string): number => {
    const found = (accept ?? '').split(',').find(item => item.trim().toLowerCase().startsWith(type))
    if (found === undefined) return 0
    const q = /;\s*q=([\d.]+)/i.exec(found)
    return q ? Number(q[1]) : 1
  }
  const openmetrics = quality('application/openmetrics-text')
  return openmetrics > 0 && openmetrics >= quality('text/plain') ? 'openmetrics' : 'prometheus'
}
