/** A phrase that needs a second reading, and its replacement. */
export interface AvoidedPhrase {
  readonly pattern: RegExp
  readonly instead: string
}

/** CONTRIBUTING.md, "Words to avoid", lists the same phrases; a test compares the two. */
export const AVOIDED: readonly AvoidedPhrase[] = [
  { pattern: /\b(?:anew|afresh)\b/i, instead: 'again; recreate, reopen, restart' },
  { pattern: /\b(?:go|goes|going|went) on\b/i, instead: 'continue, resume' },
  { pattern: /\b(?:stands|stood)\b(?! for)/i, instead: 'is, is at, is in' },
  { pattern: /(?<!there )(?<!reset )(?<!\* )\b(?:is|are) none\b/, instead: 'there is no ..., not found' },
  { pattern: /\b(?:has|have|is|are) gone\b/i, instead: 'was deleted, disconnected, ended' },
  { pattern: /\b[Ss]o (?:long|many|much)\b/, instead: 'this long, this many, at most N' },
  { pattern: /\bby itself\b/i, instead: 'alone; automatically' },
  { pattern: /\bhas it that\b/i, instead: 'say who does what' },
  { pattern: /\b(?:gives?|given|gave) back\b/i, instead: 'return, release' },
  { pattern: /\b(?:lets?|letting) go\b/i, instead: 'release' },
  { pattern: /\b(?:comes?|came) to rest\b/i, instead: 'finish, become idle' },
  { pattern: /\bgo(?:es)? round\b/i, instead: 'be reused, be pooled' },
  { pattern: /\b(?:hence|thereby|thereof|whereof|whither)\b/i, instead: 'so, therefore' },
  { pattern: /\b(?:hurry|hurries)\b/i, instead: 'flush now' },
  { pattern: /\b(?:parcels?|nameless)\b/i, instead: 'queued request, anonymous' },
  // Does not match "room for another record".
  { pattern: /\brooms\b|\b(?:a|the|its|each|every|this|another) room\b(?! for)/i, instead: 'module' },
  { pattern: /\b(?:doors?|arrows?)\b/i, instead: 'entry point, dependency' },
]
