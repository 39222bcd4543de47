/** A metric that a plugin defines. */
export interface PluginMetric {
  /**
   * The name of the metric, such as `rows-read`. It can contain letters, digits, `-`, `_` and `.`.
   */
  readonly name: string
  readonly description: string
  /** Labels that distinguish series with the same name. The runtime adds `connector` and `task`. */
  readonly tags?: Readonly<Record<string, string>>
  /** A counter only increases. A gauge can also decrease. Default: gauge. */
  readonly type?: 'gauge' | 'counter'
  /** The prefix of the exported name. Default: `kafka_connect_plugins`. */
  readonly prefix?: string
}

/**
 * The metrics that a plugin defines (KIP-877). The worker exports them until the task stops.
 */
export interface PluginMetrics {
  /**
   * Adds a metric. Replaces an existing metric with the same name and tags. The runtime calls
   * `value` every two seconds, so `value` must return at once. While `value` returns null, the
   * metric is not exported.
   */
  addMetric(metric: PluginMetric, value: () => number | null): void
  /** Removes the metric with this name and these tags, if it exists. */
  removeMetric(metric: Pick<PluginMetric, 'name' | 'tags' | 'prefix'>): void
}

/** How far a source task is behind its source. */
export interface SourceLag {
  /**
   * The number of bytes in the source that the task has not read yet, or has read but not yet
   * confirmed to the source. Null if the number is unknown.
   */
  readonly bytes: number | null
  /**
   * Null if the task has read everything. Otherwise the later of two times, in milliseconds since
   * 1970: the time of the last record that the task read, and the last time at which the task had
   * read everything.
   */
  readonly since: number | null
}
