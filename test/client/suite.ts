/**
 * The tests of the client, for any broker. client.test.ts runs them with our broker, and
 * client.peer.test.ts with Apache's.
 */
import { adminSuite } from './suite/admin.ts'
import { groupsSuite } from './suite/groups.ts'
import { recordsSuite } from './suite/records.ts'
import { type SuiteBroker, suiteTools } from './suite/tools.ts'

export function clientSuite(start: () => Promise<SuiteBroker>): void {
  const tools = suiteTools(start)
  recordsSuite(tools)
  groupsSuite(tools)
  adminSuite(tools)
}
