/**
 * A real Elasticsearch for `*.es.test.ts`: the server at `ELASTICSEARCH_URL`, or else a server that
 * `elasticsearch.sh` sets up and starts on a free port. All test files of a run share the server,
 * so use unique index names.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../core/common/free-port.ts'

const script = join(import.meta.dirname, 'elasticsearch.sh')

async function runScript(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', chunk => (out += chunk))
    child.on('error', reject)
    child.on('close', code =>
      code === 0 ? resolve(out.trim()) : reject(new Error(`elasticsearch.sh ${args[0]} ended with ${code}`)),
    )
  })
}

export interface ElasticsearchService {
  readonly url: string
  stop(): Promise<void>
}

/**
 * Starts a node. This takes up to a minute, or longer if packages must be downloaded first. Throws
 * if the start fails.
 */
export async function startElasticsearch(
  options: { readonly args?: readonly string[] } = {},
): Promise<ElasticsearchService> {
  const given = process.env['ELASTICSEARCH_URL']
  if (given && !options.args) return { url: given, stop: async () => {} }
  const dir = mkdtempSync(join(tmpdir(), 'millrace-es-'))
  const port = await freePort()
  const stop = async () => {
    await runScript(['stop', '--dir', dir])
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    const url = await runScript(['start', '--port', String(port), '--dir', dir, ...(options.args ?? [])])
    return { url, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
