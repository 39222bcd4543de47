import { createServer } from 'node:net'

/**
 * Below what systems give to outgoing connections (Linux from 32768 on, others from 49152): so none of those takes the port before it is
 * used, and nobody who connects to it in vain is connected with himself.
 */
const FROM = 15_000
const TO = 32_000
const TRIES = 100

/** A port of 127.0.0.1 that is free now. */
export async function freePort(): Promise<number> {
  for (let n = 0; n < TRIES; n++) {
    const port = FROM + Math.floor(Math.random() * (TO - FROM))
    if (!(await isTaken(port))) return port
  }
  throw new Error(`no free port in ${TRIES} tries`)
}

/** Whether somebody listens on this port of 127.0.0.1. Port 0 never is. */
export function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', error =>
      (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? resolve(true) : reject(error),
    )
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(false)))
  })
}
