import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { startBroker } from '../broker.ts'

/** A broker in a separate process, so that a test can kill it. */
export interface BrokerProcess {
  readonly port: number
  readonly child: ChildProcess
  /** Sends SIGKILL, and waits until the process has exited. */
  kill(): Promise<void>
  /** Sends SIGTERM for a clean shutdown, and waits until the process has exited. */
  stop(): Promise<void>
}

/**
 * Starts a broker in a separate process. Resolves when the broker is listening. `settings` are keys
 * of server.properties.
 */
export async function startBrokerProcess(settings: Record<string, string>): Promise<BrokerProcess> {
  const child = spawn(process.execPath, [import.meta.filename, JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
  }
  for await (const line of createInterface({ input: child.stdout })) {
    const { port } = JSON.parse(line) as { port: number }
    return { port, child, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') }
  }
  throw new Error(`the broker process exited with code ${child.exitCode}`)
}

if (import.meta.main) {
  const broker = await startBroker(JSON.parse(process.argv[2]!))
  process.stdout.write(`${JSON.stringify({ port: broker.port })}\n`)
  process.once('SIGTERM', () => void broker.close())
}
