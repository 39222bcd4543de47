import type { Exception } from './check.ts'

/** Literal uses of phrases that are otherwise avoided, each with the text around it. */
export const EXCEPTIONS: readonly Exception[] = [
  // Messages of Apache Kafka.
  { file: 'core/protocol/error-code-table.ts', text: "loading and hence can't process" },
  { file: 'core/protocol/error-code-table.ts', text: 'broker and hence will be rejected' },
  // ARCHITECTURE.md compares the project with a house.
  { file: 'ARCHITECTURE.md', text: 'Each module is a room' },
  { file: 'ARCHITECTURE.md', text: 'An arrow between two rooms' },
  { file: 'ARCHITECTURE.md', text: 'All arrows point in one direction' },
  { file: 'CONTRIBUTING.md', text: 'the house metaphor (rooms, arrows) only in' },
]
