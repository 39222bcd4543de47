/** The type of a metric in Prometheus' text format. */
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'untyped'

/** The declaration of a metric, for its `# HELP` and `# TYPE` lines and for docs/metrics.md. */
export interface Metric {
  readonly name: string
  readonly type: MetricType
  readonly help: string
  /** The names of the metric's labels. A series omits labels without a value. */
  readonly labels: readonly string[]
}

/**
 * The label values of a series, in the order of the metric's labels, and its value. The series of a
 * histogram also has a suffix, such as `_bucket`, which is added to the metric's name.
 */
export type Sample = readonly [labels: readonly string[], value: number, suffix?: string]

/** A metric with its series. `samples` is read once, while the text is written. */
export interface Family {
  readonly metric: Metric
  readonly samples: Iterable<Sample>
}

type Declaration = readonly [type: MetricType, help: string, labels?: readonly string[]]

/**
 * Declares metrics by name: `{ up_total: ['counter', 'What it counts.', ['label']] }`. A metric
 * without declared labels has `commonLabels`.
 */
export function defineMetrics<N extends string>(
  declarations: Readonly<Record<N, Declaration>>,
  commonLabels: readonly string[] = [],
): Record<N, Metric> {
  const metrics: Partial<Record<N, Metric>> = {}
  for (const name of Object.keys(declarations) as N[]) {
    const [type, help, labels = commonLabels] = declarations[name]
    metrics[name] = { name, type, help, labels }
  }
  return metrics as Record<N, Metric>
}

/** Returns a family with a single series without labels. */
export function single(metric: Metric, value: number): Family {
  return { metric, samples: [[[], value]] }
}

/** Yields the elements of all parts, one part after the other. */
export function* concat<T>(...parts: readonly Iterable<T>[]): Generator<T> {
  for (const part of parts) yield* part
}
