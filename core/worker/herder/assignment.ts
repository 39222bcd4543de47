/**
 * The connectors and tasks that this worker runs, and whether it is the leader. `SOLE` is the only
 * implementation today. A worker group (the `connect` protocol) will have one assignment per
 * generation.
 */
export interface Assignment {
  readonly leader: boolean
  /** The generation of the group. Statuses contain it. */
  readonly generation: number
  hasConnector(name: string): boolean
  hasTask(name: string, task: number): boolean
}

/** The assignment of a worker that has no group: it runs every connector and task. */
export const SOLE: Assignment = {
  leader: true,
  generation: 0,
  hasConnector: () => true,
  hasTask: () => true,
}
