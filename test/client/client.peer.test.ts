import { startPeerKafka } from '../peer-connect.ts'
import { clientSuite } from './suite.ts'

clientSuite(async () => {
  const kafka = await startPeerKafka()
  return { bootstrap: kafka.bootstrap, close: () => kafka.stop() }
})
