import { createServer } from 'node:net'

/**
 * The lowest port to try. Outgoing connections use higher ports than `TO` (from 32768 on Linux,
 * from 49152 elsewhere). So no outgoing connection can take the port, and no client can connect to
 * itself.
 */
const FROM = 15_000
const TO = 32_000
const TRIES = 100

/** Returns a port of 127.0.0.1 that is currently free. */
export async function freePort(): Promise<number> {
  for (let n = 0; n < TRIES; n++) {
    const port = FROM + Math.floor(Math.random() * (TO - FROM))
    if (!(await isTaken(port))) return port
  }
  throw new Error(`no free port in ${TRIES} tries`)
}

/** Whether a process listens on this port of 127.0.0.1. */
export function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', error =>
      (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? resolve(true) : reject(error),
    )
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(false)))
  })
}
