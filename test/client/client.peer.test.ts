import { startPeerKafka } from '../peers/servers.ts'
import { clientSuite } from './suite.ts'

clientSuite(async () => {
  const kafka = await startPeerKafka()
  return { bootstrap: kafka.bootstrap, close: () => kafka.stop() }
})
