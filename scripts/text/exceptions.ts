import type { Exception } from './check.ts'

/** True uses of phrases that are otherwise avoided, each with the text around it. */
export const EXCEPTIONS: readonly Exception[] = []
