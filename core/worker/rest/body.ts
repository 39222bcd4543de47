import { isUtf8 } from 'node:buffer'

/**
 * Thrown if a request body is not valid Unicode. The message contains the position, never the
 * content.
 */
export class EncodingError extends Error {}

/**
 * Returns the text of a JSON body. As in Jackson, the encoding is detected from the bytes, not from
 * the content type. It is UTF-8, UTF-16 or UTF-32, with or without a byte order mark. Throws
 * EncodingError.
 */
export function decodeJson(bytes: Buffer): string {
  const { encoding, skip } = encodingOf(bytes)
  const content = bytes.subarray(skip)
  if (encoding === 'utf-8') {
    if (!isUtf8(content)) throw new EncodingError(wrongUtf8(bytes))
    return content.toString('utf8')
  }
  try {
    if (encoding.startsWith('utf-32')) return decodeUtf32(content, encoding === 'utf-32le')
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(content)
  } catch (cause) {
    throw new EncodingError(`it starts like ${encoding.toUpperCase()} but is not valid ${encoding.toUpperCase()}`, {
      cause,
    })
  }
}

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be'

const MARKS: readonly (readonly [Encoding, Buffer])[] = [
  ['utf-32be', Buffer.from([0, 0, 0xfe, 0xff])],
  ['utf-32le', Buffer.from([0xff, 0xfe, 0, 0])],
  ['utf-8', Buffer.from([0xef, 0xbb, 0xbf])],
  ['utf-16be', Buffer.from([0xfe, 0xff])],
  ['utf-16le', Buffer.from([0xff, 0xfe])],
]

/**
 * Returns the encoding that the byte order mark indicates. Without a mark, the zero bytes among the
 * first four bytes indicate the encoding, because JSON starts with ASCII characters.
 */
function encodingOf(bytes: Buffer): { encoding: Encoding; skip: number } {
  for (const [encoding, mark] of MARKS) {
    if (bytes.length >= mark.length && bytes.compare(mark, 0, mark.length, 0, mark.length) === 0)
      return { encoding, skip: mark.length }
  }
  const zeros = [...bytes.subarray(0, 4)].map(b => (b === 0 ? '0' : 'x')).join('')
  if (zeros === '000x') return { encoding: 'utf-32be', skip: 0 }
  if (zeros === 'x000') return { encoding: 'utf-32le', skip: 0 }
  if (zeros.startsWith('0x')) return { encoding: 'utf-16be', skip: 0 }
  if (zeros.startsWith('x0')) return { encoding: 'utf-16le', skip: 0 }
  return { encoding: 'utf-8', skip: 0 }
}

function wrongUtf8(bytes: Buffer): string {
  const again = Buffer.from(bytes.toString('utf8'))
  let at = 0
  while (at < bytes.length && bytes[at] === again[at]) at++
  const byte = bytes[at] ?? bytes[bytes.length - 1] ?? 0
  return `byte 0x${byte.toString(16).padStart(2, '0')} at position ${at} is not UTF-8`
}

function decodeUtf32(bytes: Buffer, littleEndian: boolean): string {
  if (bytes.length % 4 !== 0) throw new RangeError('the last character has fewer than four bytes')
  const parts: string[] = []
  for (let at = 0; at < bytes.length; at += 4) {
    const code = littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
    if (code >= 0xd800 && code <= 0xdfff) throw new RangeError('half of a surrogate pair')
    parts.push(String.fromCodePoint(code))
  }
  return parts.join('')
}
