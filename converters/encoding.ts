const ENCODINGS: Readonly<Record<string, BufferEncoding>> = {
  'utf-8': 'utf8',
  utf8: 'utf8',
  'iso-8859-1': 'latin1',
  latin1: 'latin1',
  'us-ascii': 'latin1',
  ascii: 'latin1',
  'utf-16le': 'utf16le',
}

/** Whether Java's name of a character set is one that we know. */
export function isEncoding(name: string): boolean {
  return name.toLowerCase() in ENCODINGS
}

/** Node's name of a Java character set. */
export function encodingOf(name: string): BufferEncoding {
  return ENCODINGS[name.toLowerCase()] ?? 'utf8'
}
