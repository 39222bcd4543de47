/**
 * Which connectors and tasks this worker runs, and who leads. Today's only one is `SOLE`; membership of a group (the
 * `connect` protocol) is to give one for each of its generations.
 */
export interface Assignment {
  readonly leader: boolean
  /** The group's generation: written into statuses. */
  readonly generation: number
  hasConnector(name: string): boolean
  hasTask(name: string, task: number): boolean
}

/** A worker that is alone runs everything. */
export const SOLE: Assignment = {
  leader: true,
  generation: 0,
  hasConnector: () => true,
  hasTask: () => true,
}
