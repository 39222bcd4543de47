/** An address of `listeners` or `advertised.listeners`. */
export interface Listener {
  /** The name of the listener. `listener.security.protocol.map` maps it to a protocol. */
  readonly name: string
  readonly host: string
  readonly port: number
}

export const SECURITY_PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const

/**
 * Parses an address of the form `NAME://host:port`. IPv6 hosts are in brackets. Throws a TypeError
 * whose message is shown to the user.
 */
export function parseListener(text: string): Listener {
  const match = /^([\w.-]+):\/\/(\[[\da-fA-F:.%]*\]|[^:\s/]*):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (!match || port > 65535) throw new TypeError(`${text} is not of the form NAME://host:port`)
  return { name: match[1]!.toUpperCase(), host: match[2]!.replace(/^\[|\]$/g, ''), port }
}

/**
 * Parses `listener.security.protocol.map`. Returns the id of the security protocol for each
 * listener name. Throws a TypeError whose message is shown to the user.
 */
export function parseProtocolMap(text: string): Map<string, number> {
  const map = new Map<string, number>()
  for (const pair of text.split(',').filter(p => p.trim() !== '')) {
    const [name, protocol] = pair.split(':').map(s => s.trim().toUpperCase())
    const number = SECURITY_PROTOCOLS.indexOf(protocol as (typeof SECURITY_PROTOCOLS)[number])
    if (!name || number < 0) throw new TypeError(`${pair} is not NAME:PROTOCOL`)
    map.set(name, number)
  }
  return map
}
