/** Returns the fields as one line of CSV (RFC 4180), without a line break. */
export function writeLine(fields: readonly string[]): string {
  return fields.map(field => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',')
}

/** Returns the fields of one line of CSV, or null if a quote is not closed. */
export function readLine(line: string): string[] | null {
  const fields: string[] = []
  const pattern = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y
  while (pattern.lastIndex <= line.length) {
    const found = pattern.exec(line)
    if (!found) return null
    fields.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '')
    if (found[3] === '') return fields
  }
  return null
}
