/** The figures of one run, by name. The case says whether higher or lower is better. */
export type Figures = Readonly<Record<string, number>>

export interface Side {
  readonly name: string
  run(round: number): Promise<Figures>
}

export interface Summary {
  readonly side: string
  readonly figure: string
  readonly min: number
  readonly median: number
  readonly max: number
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/**
 * Runs the sides in turn, round by round, so that other load on the machine affects all of them. To
 * measure the noise, pass one side twice with two names: the A/A control.
 */
export async function alternate(
  sides: readonly Side[],
  rounds: number,
  say: (text: string) => void,
): Promise<Summary[]> {
  const seen = new Map<string, { side: string; figure: string; values: number[] }>()
  for (let round = 0; round < rounds; round++) {
    for (const side of sides) {
      const figures = await side.run(round)
      say(
        `  ${side.name}: ${Object.entries(figures)
          .map(([k, v]) => `${k} ${format(v)}`)
          .join(', ')}`,
      )
      for (const [figure, value] of Object.entries(figures)) {
        const key = `${figure}\n${side.name}`
        const row = seen.get(key) ?? { side: side.name, figure, values: [] }
        row.values.push(value)
        seen.set(key, row)
      }
    }
  }
  return [...seen.values()].map(({ side, figure, values }) => ({
    side,
    figure,
    min: Math.min(...values),
    median: median(values),
    max: Math.max(...values),
  }))
}

export function format(n: number): string {
  return Math.abs(n) >= 1000
    ? Math.round(n).toLocaleString('en')
    : Math.abs(n) >= 100
      ? n.toFixed(0)
      : Math.abs(n) >= 10
        ? n.toFixed(1)
        : n.toFixed(2)
}

/**
 * Returns a Markdown table with a row for each figure and a column for each side, as `median (min
 * to max)`.
 */
export function table(summaries: readonly Summary[]): string {
  const sides = [...new Set(summaries.map(s => s.side))]
  const figures = [...new Set(summaries.map(s => s.figure))]
  const cell = (figure: string, side: string) => {
    const s = summaries.find(x => x.figure === figure && x.side === side)
    return s ? `${format(s.median)} (${format(s.min)} to ${format(s.max)})` : ''
  }
  const rows = figures.map(f => `| ${f} | ${sides.map(s => cell(f, s)).join(' | ')} |`)
  return [`| | ${sides.join(' | ')} |`, `| --- |${sides.map(() => ' --- |').join('')}`, ...rows].join('\n')
}
