/** The time zone that a text begins with: `Z`, `UTC`, `GMT+01:00`, `+0100`, `+01:00`, `+01`. East of Greenwich is positive. */
export function parseZone(text: string): { minutes: number; length: number } | null {
  const found = /^(?:Z|UTC|GMT|(?:GMT|UTC)?([+-])(\d{1,2}):?(\d{2})?)/.exec(text)
  const signed = /^(?:GMT|UTC)?([+-])(\d{2}):?(\d{2})?/.exec(text)
  if (signed) {
    const minutes = Number(signed[2]) * 60 + Number(signed[3] ?? 0)
    return { minutes: signed[1] === '-' ? -minutes : minutes, length: signed[0].length }
  }
  return found ? { minutes: 0, length: found[0].length } : null
}
