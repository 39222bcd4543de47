import { startTestBroker } from '../../core/broker/test-support/test-broker.ts'
import { clientSuite } from './suite.ts'

clientSuite(async () => {
  const { bootstrap, restart, close } = await startTestBroker()
  return { bootstrap, close, restart: () => restart() }
})
