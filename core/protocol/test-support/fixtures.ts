import { readFileSync } from 'node:fs'

/** Returns the bytes of `records/fixtures/<name>.hex`. */
export function fixture(name: string): Buffer {
  const text = readFileSync(new URL(`../records/fixtures/${name}.hex`, import.meta.url), 'utf8')
  return Buffer.from(text.replace(/\s/g, ''), 'hex')
}
