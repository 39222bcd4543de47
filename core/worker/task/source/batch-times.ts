/** Stores the poll times of the batches whose records are not all acknowledged. */
export class BatchTimes {
  readonly #batches: { readonly firstToken: number; readonly time: number }[] = []

  /** Adds a batch. `firstToken` is the token of the batch's first record. */
  add(firstToken: number, time: number): void {
    this.#batches.push({ firstToken, time })
  }

  /** Returns the poll time of the batch that contains the record. Removes all earlier batches. */
  timeOf(token: number): number | null {
    const next = this.#batches.findIndex(b => b.firstToken > token)
    const at = (next < 0 ? this.#batches.length : next) - 1
    if (at > 0) this.#batches.splice(0, at)
    return this.#batches[0]?.time ?? null
  }
}
