/** A metric of a plugin's own. */
export interface PluginMetric {
  /** Letters, digits, `-`, `_` and `.`, such as `rows-read`. */
  readonly name: string
  readonly description: string
  /** Labels that tell apart series of one name. `connector` and `task` are added by the runtime. */
  readonly tags?: Readonly<Record<string, string>>
  /** A counter only increases. Default: gauge. */
  readonly type?: 'gauge' | 'counter'
  /** The start of the exported name. Default: `kafka_connect_plugins`. */
  readonly prefix?: string
}

/**
 * Metrics of a plugin's own, exported with those of the worker (KIP-877). They disappear when the
 * task stops.
 */
export interface PluginMetrics {
  /**
   * Adds a metric, or replaces the one with the same name and tags. The runtime reads `value` every
   * few seconds; it must return at once. Null leaves the metric out for the time being.
   */
  addMetric(metric: PluginMetric, value: () => number | null): void
  /** Removes a metric; does nothing when there is none with this name and these tags. */
  removeMetric(metric: Pick<PluginMetric, 'name' | 'tags' | 'prefix'>): void
}

/** How far a source task is behind its source. */
export interface SourceLag {
  /** Bytes that the source holds and that the task has not read. Null when unknown. */
  readonly bytes: number | null
  /**
   * The source's time of the last record that the task has read, in milliseconds since 1970, or the
   * time since when the source has held unread data. Null when the task has read everything.
   */
  readonly since: number | null
}
