import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An action of a bulk request. */
export interface Action {
  readonly op: string
  readonly index: string
  readonly id: string
  readonly version: number | null
  /** Whether another write with the same version is accepted. */
  readonly orEqual: boolean
  /** Whether the action applies only if the document exists in a given state. */
  readonly isConditional: boolean
  readonly document: Record<string, unknown> | null
}

interface Instead {
  readonly status: number
  readonly body: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * Returns the fault of a bulk request: a response that is sent instead of executing the request, or
 * `cut` to close the connection. Null means no fault.
 */
export type Decide = (actions: readonly Action[], n: number) => Instead | 'cut' | null | Promise<null>

type Respond = (instead: Instead) => unknown

/**
 * The part of Elasticsearch's API that the sink uses, in memory, with faults that a test defines.
 * This server keeps the version of a delete only until the requests in flight have ended. A real
 * server keeps it for a minute, or until a restart.
 */
export class ScriptedElasticsearch {
  readonly documents = new Map<string, { version: number; document: Record<string, unknown> }>()
  /** The number of actions of each bulk request that arrived. */
  readonly bulks: number[] = []
  decide: Decide = () => null
  /**
   * The fault of one action: a status, or a status and an error type. The action is then not
   * executed. Null if the action has no fault.
   */
  refuse: (action: Action) => number | readonly [status: number, type: string] | null = () => null
  /** Whether the server accepts versioned media types, as Elasticsearch 8 and newer do. */
  knowsVersions = true
  /** The content types of the bulk requests that arrived. */
  readonly contentTypes: string[] = []
  /** The nodes that the server lists for sniffing. */
  nodes: readonly string[] = []
  readonly #server: Server
  readonly #underWay = new Set<number>()
  #deleted: { readonly id: string; readonly version: number; readonly during: Set<number> }[] = []

  private constructor() {
    this.#server = createServer((req, res) => void this.#serve(req, res))
  }

  static async start(): Promise<ScriptedElasticsearch> {
    const es = new ScriptedElasticsearch()
    await new Promise<void>(done => es.#server.listen(0, '127.0.0.1', done))
    return es
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(done => this.#server.close(done))
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of req.setEncoding('utf8')) body += chunk
    const answer: Respond = ({ status, body: text, headers }) =>
      res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text)
    const type = req.headers['content-type'] ?? ''
    if (req.url!.startsWith('/_bulk')) this.contentTypes.push(type)
    if (!this.knowsVersions && `${type} ${req.headers.accept}`.includes('compatible-with')) {
      return void answer({
        status: 406,
        body: `{"error":"Content-Type header [${type}] is not supported","status":406}`,
      })
    }
    if (req.url!.startsWith('/_nodes')) {
      const nodes = this.nodes.map((url, n) => [
        `node-${n}`,
        { roles: ['data'], http: { publish_address: url.slice(7) } },
      ])
      return void answer({ status: 200, body: JSON.stringify({ nodes: Object.fromEntries(nodes) }) })
    }
    if (!req.url!.startsWith('/_bulk')) return void answer({ status: 200, body: '{}' })
    const actions = parse(body)
    const n = this.bulks.push(actions.length) - 1
    this.#underWay.add(n)
    try {
      await this.#carryOut(actions, n, answer, req)
    } finally {
      this.#underWay.delete(n)
      for (const d of this.#deleted) d.during.delete(n)
      this.#deleted = this.#deleted.filter(d => d.during.size > 0)
    }
  }

  async #carryOut(actions: readonly Action[], n: number, answer: Respond, req: IncomingMessage): Promise<void> {
    const instead = await this.decide(actions, n)
    if (instead === 'cut') return void req.socket.destroy()
    if (instead) return void answer(instead)
    const items = actions.map(action => ({ [action.op]: this.#apply(action) }))
    answer({ status: 200, body: JSON.stringify({ errors: true, items }) })
  }

  #apply(action: Action): { status: number; error?: { type: string; reason: string } } {
    const refused = this.refuse(action)
    if (refused !== null) {
      const [status, type] = typeof refused === 'number' ? [refused, 'refused'] : refused
      return { status, error: { type, reason: 'by the test' } }
    }
    if (action.isConditional && !this.documents.has(action.id)) {
      return { status: 409, error: { type: 'version_conflict_engine_exception', reason: 'no document was found' } }
    }
    const { op, id, document } = action
    const now = this.documents.get(id)
    const known = now?.version ?? this.#deleted.findLast(d => d.id === id)?.version ?? 0
    const version = action.version ?? known + 1
    if (action.version !== null && (action.orEqual ? known > version : known >= version && known > 0)) {
      return { status: 409, error: { type: 'version_conflict_engine_exception', reason: 'newer' } }
    }
    if (op === 'delete') {
      this.#deleted.push({ id, version, during: new Set(this.#underWay) })
      return { status: this.documents.delete(id) ? 200 : 404 }
    }
    const merged = op === 'update' ? { ...now?.document, ...(document!['doc'] as object) } : document!
    this.documents.set(id, { version, document: merged })
    return { status: 200 }
  }
}

function parse(body: string): Action[] {
  const lines = body.trimEnd().split('\n')
  const actions: Action[] = []
  for (let n = 0; n < lines.length; n++) {
    const [op, meta] = Object.entries(JSON.parse(lines[n]!) as Record<string, Record<string, unknown>>)[0]!
    const document = op === 'delete' ? null : (JSON.parse(lines[++n]!) as Record<string, unknown>)
    const { _index: index, _id: id } = meta
    const version = (meta['version'] as number | undefined) ?? null
    const orEqual = meta['version_type'] === 'external_gte'
    const isConditional = meta['if_seq_no'] !== undefined
    actions.push({ op, index: String(index), id: String(id), version, orEqual, isConditional, document })
  }
  return actions
}
