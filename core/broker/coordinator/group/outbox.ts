import type { Member } from './member.ts'
import type { GroupEffect, GroupSnapshot, JoinReply, SyncReply, Waiter } from './types.ts'
import { type Agreement, joinRefusal, syncReply } from './views.ts'

/** What is to be done when a record that a group asked for is written. */
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

/** What a group wants done, in order, and what it waits for to be written. */
export class Outbox {
  #effects: GroupEffect[] = []
  readonly #pending = new Map<number, Pending>()
  #lastTicket = 0

  /** Everything since the last time. */
  take(): GroupEffect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  note(text: string): void {
    this.#effects.push({ kind: 'note', text })
  }

  answerJoin(to: Waiter<JoinReply>, reply: JoinReply): void {
    this.#effects.push({ kind: 'join', to, reply })
  }

  refuseJoin(to: Waiter<JoinReply>, errorCode: number, memberId: string): void {
    this.answerJoin(to, joinRefusal(errorCode, memberId))
  }

  answerSync(to: Waiter<SyncReply>, a: Agreement, errorCode: number, assignment: Buffer): void {
    this.#effects.push({ kind: 'sync', to, reply: syncReply(a, errorCode, assignment) })
  }

  persist(pending: Pending, snapshot: GroupSnapshot): void {
    const ticket = ++this.#lastTicket
    this.#pending.set(ticket, pending)
    this.#effects.push({ kind: 'persist', ticket, snapshot })
  }

  /** What was waiting for a ticket, if the group still is. */
  written(ticket: number): Pending | undefined {
    const pending = this.#pending.get(ticket)
    this.#pending.delete(ticket)
    return pending
  }

  /** The leader's assignment of a generation is on its way into the log. */
  isAssigning(generation: number): boolean {
    for (const p of this.#pending.values()) if (p.kind === 'assignment' && p.generation === generation) return true
    return false
  }

  /** Nothing that is written matters any more. */
  forget(): void {
    this.#pending.clear()
  }
}
