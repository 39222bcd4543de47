import type { Validator } from '../../common/config/define.ts'
import { distinctItems } from '../../common/config/validators.ts'
import type { Address } from '../net/connection.ts'

const ADDRESS = /^(?:([A-Za-z_]+):\/\/)?(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]/\s]+)):(\d+)$/
const distinct = distinctItems({ allowEmpty: false })

/**
 * Parses `host:port` or `[ipv6]:port`. A protocol may precede the address, as in
 * `PLAINTEXT://host:9092`. Returns null if the address is invalid.
 */
export function parseAddress(text: string): Address | null {
  const match = ADDRESS.exec(text)
  const port = Number(match?.[4])
  return match && port >= 1 && port <= 65535 ? { host: match[2] ?? match[3]!, port } : null
}

/** Validates a list of at least one address, without duplicates. */
export const addressList: Validator = {
  describe: 'list of host:port',
  complete: true,
  ofNull: distinct.ofNull!,
  check(value, name) {
    const items = (value as readonly string[] | null) ?? []
    const wrong = items.find(item => item !== '' && !parseAddress(item))
    if (wrong === undefined) return distinct.check(value, name)
    return `Invalid value ${wrong} for configuration ${name}: Must be host:port, with a port between 1 and 65535`
  },
}
