/** A phrase that a reader has to decode, and what to write instead. The glossary explains why. */
export interface AvoidedPhrase {
  readonly pattern: RegExp
  readonly instead: string
}

/** CONTRIBUTING.md, "Words to avoid", lists the same phrases; a test compares the two. */
export const AVOIDED: readonly AvoidedPhrase[] = [
  { pattern: /\b(?:anew|afresh)\b/i, instead: 'again; recreate, reopen, restart' },
  { pattern: /\b(?:go|goes|going|went) on\b/i, instead: 'continue, resume' },
  { pattern: /\b(?:stands|stood)\b/i, instead: 'is, is at, is in' },
  { pattern: /\b(?:is|are) none\b/, instead: 'there is no ..., not found' },
  { pattern: /\b(?:has|have|is|are) gone\b/i, instead: 'was deleted, disconnected, ended' },
  { pattern: /\bso (?:long|many|much)\b/i, instead: 'this long, this many, at most N' },
  { pattern: /\bby itself\b/i, instead: 'alone; automatically' },
  { pattern: /\bof its own\b/i, instead: 'separate, own' },
  { pattern: /\bhas it that\b/i, instead: 'say who does what' },
  { pattern: /\b(?:gives?|given|gave) back\b/i, instead: 'return, release' },
  { pattern: /\b(?:lets?|letting) go\b/i, instead: 'release' },
  { pattern: /\b(?:comes?|came) to rest\b/i, instead: 'finish, become idle' },
  { pattern: /\bgo(?:es)? round\b/i, instead: 'be reused, be pooled' },
  { pattern: /\bbesides\b/i, instead: 'in addition to, except' },
  { pattern: /\b(?:hence|thereby|thereof|whereof|whither)\b/i, instead: 'so, therefore' },
  { pattern: /\b(?:hurry|hurries)\b/i, instead: 'flush now' },
  { pattern: /\b(?:parcels?|nameless)\b/i, instead: 'queued request, anonymous' },
  // the producer has a method `room()`
  { pattern: /\b(?:rooms?(?!\()|doors?|arrows?)\b/i, instead: 'module, entry point, dependency' },
]
