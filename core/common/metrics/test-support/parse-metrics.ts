/** A metric in the result of `parseMetrics`. */
export interface ParsedFamily {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly series: Series[]
}

export interface Series {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped'])

export class Scrape {
  readonly families: ReadonlyMap<string, ParsedFamily>

  constructor(families: ReadonlyMap<string, ParsedFamily>) {
    this.families = families
  }

  /** Returns all series of a metric whose labels include `labels`. */
  series(name: string, labels: Readonly<Record<string, string>> = {}): Series[] {
    const all = this.families.get(name)?.series ?? []
    return all.filter(s => Object.entries(labels).every(([k, v]) => (s.labels[k] ?? '') === v))
  }

  /**
   * Returns the value of a series, or undefined if the series does not exist. Throws if several
   * series match. A label with an empty value matches series without this label.
   */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const found = this.series(name, labels)
    if (found.length > 1) throw new Error(`${name} has ${found.length} series for ${JSON.stringify(labels)}`)
    return found[0]?.value
  }
}

/** Parses Prometheus' text format 0.0.4 strictly. Throws on text that Prometheus may reject. */
export function parseMetrics(text: string): Scrape {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end')
  const families = new Map<string, ParsedFamily>()
  const seen = new Set<string>()
  let help: { name: string; text: string } | null = null
  let family: ParsedFamily | null = null
  for (const line of text.split('\n').slice(0, -1)) {
    if (line.startsWith('# HELP ')) {
      const [, name, words] = /^# HELP (\S+) (.*)$/.exec(line) ?? fail(line)
      help = { name: name!, text: words! }
    } else if (line.startsWith('# TYPE ')) {
      const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? fail(line)
      if (help?.name !== name || !TYPES.has(type!) || !NAME.test(name!)) fail(line)
      if (families.has(name!)) throw new Error(`the family ${name} comes twice`)
      family = { name: name!, type: type!, help: help!.text, series: [] }
      families.set(name!, family)
    } else {
      const series = parseSeries(line)
      if (!family || !belongs(series.name, family)) throw new Error(`${line} is outside of its family`)
      if (family.type === 'counter' && !(series.value >= 0)) throw new Error(`the counter ${line} is negative`)
      const labels = Object.entries(series.labels).sort(([a], [b]) => (a < b ? -1 : 1))
      const key = JSON.stringify([series.name, labels])
      if (seen.has(key)) throw new Error(`${line} comes twice`)
      seen.add(key)
      family.series.push(series)
    }
  }
  return new Scrape(families)
}

function belongs(name: string, { name: family, type }: ParsedFamily): boolean {
  if (name === family) return type !== 'histogram'
  return type === 'histogram' && ['_bucket', '_sum', '_count'].some(suffix => name === family + suffix)
}

function parseSeries(line: string): Series {
  const [, name, rest] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(.*)$/s.exec(line) ?? fail(line)
  const labels: Record<string, string> = {}
  let at = rest!
  if (at.startsWith('{')) {
    at = at.slice(1)
    while (!at.startsWith('}')) {
      const match = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,(?=[a-zA-Z_])|(?=\}))/.exec(at) ?? fail(line)
      if (match[1]! in labels) fail(line)
      labels[match[1]!] = match[2]!.replace(/\\(.)/gs, (_, c) => (c === 'n' ? '\n' : c))
      at = at.slice(match[0].length)
    }
    at = at.slice(1)
  }
  const [, number] = /^ (NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.exec(at) ?? fail(line)
  const value = number === '+Inf' ? Infinity : number === '-Inf' ? -Infinity : Number(number)
  return { name: name!, labels, value }
}

function fail(line: string): never {
  throw new Error(`not a line of the text format: ${line}`)
}

/** Fetches metrics from a URL once, and parses them strictly. */
export async function scrape(url: string): Promise<Scrape> {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${text}`)
  if (response.headers.get('content-type') !== 'text/plain; version=0.0.4; charset=utf-8')
    throw new Error(`${url} has the content type ${response.headers.get('content-type')}`)
  return parseMetrics(text)
}
