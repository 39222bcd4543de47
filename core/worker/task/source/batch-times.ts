/** When each batch of records was polled, for as long as one of its records is not acknowledged. */
export class BatchTimes {
  readonly #batches: { readonly firstToken: number; readonly time: number }[] = []

  /** The batch begins with the record `firstToken`. */
  add(firstToken: number, time: number): void {
    this.#batches.push({ firstToken, time })
  }

  /** When the record's batch was polled. Forgets the batches before it. */
  timeOf(token: number): number | null {
    const next = this.#batches.findIndex(b => b.firstToken > token)
    const at = (next < 0 ? this.#batches.length : next) - 1
    if (at > 0) this.#batches.splice(0, at)
    return this.#batches[0]?.time ?? null
  }
}
