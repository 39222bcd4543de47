/**
 * What the client must do against any broker: run on ours by client.test.ts and on Apache's by
 * client.peer.test.ts.
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
