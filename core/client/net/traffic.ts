import type { ClientTraffic } from '../types.ts'

/** Counts what a client sends and receives. The client's connections update the fields. */
export class Traffic implements ClientTraffic {
  incomingBytes = 0
  outgoingBytes = 0
  connections = 0
  connectionsCreated = 0
}
