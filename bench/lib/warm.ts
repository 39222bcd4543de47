import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { alternate, type Figures, median, type Side, type Summary } from './compare.ts'
import { type Prepare, prepareApacheStack, prepareMillrace, reachable, type Stack } from './stack.ts'

/** A program that keeps running for all rounds of a comparison. */
export interface WarmSide<T> {
  readonly name: string
  readonly target: T
}

export interface WarmCase<T> {
  readonly title: string
  /**
   * The figure that shows whether a side is warm; higher is better. Null for a case with a fixed
   * rate. Earlier cases have already warmed up the sides of such a case.
   */
  readonly leading: string | null
  /** The minimum number of rounds that do not count. Default: 3. */
  readonly warmUp?: number
  /**
   * Runs one round of load on a running side. Each call for the same side has a different `round`.
   */
  run(side: T, round: number): Promise<Figures>
}

export interface WarmOptions {
  /** The number of rounds that count. */
  readonly rounds: number
  readonly say: (text: string) => void
}

/** With `npm run bench -- --base DIR`, a built checkout of another commit replaces the peer. */
export const otherCheckout = (): string | undefined => process.env['MILLRACE_BENCH_BASE']
export const OTHER = 'Millrace (base)'

/**
 * The minimum number of warm-up rounds. A JVM compiles its hot code over minutes, so rounds do not
 * count while it is still getting faster.
 */
const WARM_UP_MIN = 3
const WARM_UP_MAX = 10
/**
 * A side is still warming up if its last two rounds are faster than the two before them by more
 * than this factor.
 */
const STILL_GAINING = 1.05

/** Whether the last two values are clearly higher than the two before them. */
function stillGaining(values: readonly number[]): boolean {
  return median(values.slice(-2)) > STILL_GAINING * median(values.slice(-4, -2))
}

/**
 * Runs a case on sides that keep running. The sides run in turn. First come rounds that do not
 * count, until no side gets faster, and then the rounds that count.
 */
export async function compareWarm<T>(
  warmCase: WarmCase<T>,
  sides: readonly WarmSide<T>[],
  { rounds, say }: WarmOptions,
): Promise<{ title: string; summaries: Summary[] }> {
  const { title, leading } = warmCase
  const only = process.env['MILLRACE_BENCH_ONLY']
  if (only && !title.includes(only)) return { title, summaries: [] }
  say(title)
  let round = 0
  const seen = new Map<string, number[]>()
  const running: Side[] = sides.map(({ name, target }) => ({
    name,
    run: async () => {
      const figures = await warmCase.run(target, round++)
      if (leading !== null) seen.set(name, [...(seen.get(name) ?? []), figures[leading] ?? Number.NaN])
      return figures
    },
  }))
  const quiet = (text: string) => say(text.replace(/^ {2}/, '  (warming up) '))
  for (let n = 0; n < (leading === null ? 1 : WARM_UP_MAX); n++) {
    await alternate(running, 1, quiet)
    if (n + 1 >= (warmCase.warmUp ?? WARM_UP_MIN) && ![...seen.values()].some(stillGaining)) break
  }
  return { title, summaries: await alternate(running, rounds, say) }
}

/**
 * Starts the stacks of Millrace, of Apache, and of Millrace again as the control. Runs all cases on
 * them, and stops them.
 */
export async function onWarmStacks<T>(
  dir: string,
  peerName: string,
  use: (sides: readonly WarmSide<Stack>[]) => Promise<T>,
): Promise<T> {
  const base = otherCheckout()
  const plans: readonly (readonly [string, Prepare])[] = [
    ['Millrace', prepareMillrace],
    base ? [OTHER, at => prepareMillrace(at, base)] : [peerName, prepareApacheStack],
    ['Millrace (control)', prepareMillrace],
  ]
  const sides: WarmSide<Stack>[] = []
  try {
    for (const [n, [name, prepare]] of plans.entries()) {
      const target = await (await prepare(join(dir, `side${n}`)))()
      sides.push({ name, target })
      await reachable(target.rest)
    }
    return await use(sides)
  } finally {
    for (const { target } of sides) await target.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Measures the CPU time and memory of all processes of a stack during some work. */
export class StackMeter {
  readonly #stack: Stack
  readonly #cpu: number
  readonly #began = performance.now()

  constructor(stack: Stack) {
    this.#stack = stack
    this.#cpu = this.#cpuSeconds()
  }

  /**
   * Returns the figures since the meter was created, for `count` units of work. `unit` names them,
   * such as `lines`.
   */
  read(count: number, unit: string): Figures {
    const seconds = (performance.now() - this.#began) / 1000
    const cpu = this.#cpuSeconds() - this.#cpu
    return {
      [`${unit}/s`]: count / seconds,
      [`CPU s per million ${unit}`]: (cpu / count) * 1e6,
      'broker and worker peak MB': this.#stack.processes.reduce((sum, p) => sum + p.peakMb(), 0),
    }
  }

  #cpuSeconds(): number {
    return this.#stack.processes.reduce((sum, p) => sum + p.cpuSeconds(), 0)
  }
}
