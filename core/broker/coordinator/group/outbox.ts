import type { Member } from './member.ts'
import type { GroupEffect, GroupSnapshot, JoinReply, SyncReply, Waiter } from './types.ts'
import { type Agreement, joinError, syncReply } from './views.ts'

/** A pending write of the group's record, with the data that is needed after the write. */
export type Pending =
  | { readonly kind: 'assignment'; readonly generation: number; readonly assignments: ReadonlyMap<string, Buffer> }
  | {
      readonly kind: 'static'
      readonly generation: number
      readonly member: Member
      readonly previous: Member
      readonly waiter: Waiter<JoinReply>
      readonly reply: JoinReply
    }
  | { readonly kind: 'empty' }

/** Collects the actions that a group requests, in order, and the records that are being written. */
export class Outbox {
  #effects: GroupEffect[] = []
  readonly #pending = new Map<number, Pending>()
  #lastTicket = 0

  /** Returns the actions requested since the last call. */
  take(): GroupEffect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  log(text: string): void {
    this.#effects.push({ kind: 'log', text })
  }

  answerJoin(to: Waiter<JoinReply>, reply: JoinReply): void {
    this.#effects.push({ kind: 'join', to, reply })
  }

  rejectJoin(to: Waiter<JoinReply>, errorCode: number, memberId: string): void {
    this.answerJoin(to, joinError(errorCode, memberId))
  }

  answerSync(to: Waiter<SyncReply>, a: Agreement, errorCode: number, assignment: Buffer): void {
    this.#effects.push({ kind: 'sync', to, reply: syncReply(a, errorCode, assignment) })
  }

  persist(pending: Pending, snapshot: GroupSnapshot): void {
    const ticket = ++this.#lastTicket
    this.#pending.set(ticket, pending)
    this.#effects.push({ kind: 'persist', ticket, snapshot })
  }

  /** Removes and returns the pending write with this ticket. Returns undefined after `clear`. */
  written(ticket: number): Pending | undefined {
    const pending = this.#pending.get(ticket)
    this.#pending.delete(ticket)
    return pending
  }

  /** Whether an assignment for this generation is being written. */
  isAssigning(generation: number): boolean {
    for (const p of this.#pending.values()) if (p.kind === 'assignment' && p.generation === generation) return true
    return false
  }

  /** Ignores the outcomes of all pending writes. */
  clear(): void {
    this.#pending.clear()
  }
}
