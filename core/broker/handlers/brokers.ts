import type { RequestContext } from './handler.ts'

export interface BrokerAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** Returns the brokers, with their addresses on the listener to which the client is connected. */
export function brokersOn(ctx: RequestContext): BrokerAddress[] {
  const { listener } = ctx.connection
  return [...ctx.broker.image().brokers.values()].flatMap(b => {
    if (b.fenced) return []
    const endpoint = b.endpoints.find(e => e.name === listener)
    return endpoint ? [{ nodeId: b.id, host: endpoint.host, port: endpoint.port, rack: b.rack }] : []
  })
}
