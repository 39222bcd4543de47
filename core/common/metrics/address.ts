/** An address of `metrics.listeners`. */
export interface MetricsAddress {
  /** The host, or an empty string for all interfaces. */
  readonly host: string
  readonly port: number
}

/** Parses `http://host:port`. Throws a TypeError with a message for the user. */
export function parseMetricsAddress(text: string): MetricsAddress {
  const match = /^http:\/\/(\[[\da-f:.%]+\]|[^:/\s[\]]*):(\d{1,5})\/?$/i.exec(text)
  const port = Number(match?.[2])
  if (!match || port > 65535) throw new TypeError(`${text} is not of the form http://host:port`)
  return { host: match[1]!.replace(/^\[|\]$/g, ''), port }
}
