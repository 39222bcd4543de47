import { Socket, type SocketConstructorOpts } from 'node:net'

/** Where a socket's bytes go. */
export interface ReadTarget {
  /** Memory for the next read. It must not be empty, and is the socket's until the next call. */
  buffer(): Buffer
  /** So many bytes were read to the front of the memory. */
  onRead(count: number): void
}

/** Node keeps what it has of a connection in `_handle`, and makes a socket of `handle`: its own server does so. */
interface HasHandle {
  _handle: object | null
}

/**
 * Takes over a connection that a server accepted with `pauseOnConnect` and gives a socket that reads to given memory, paused. Node has that as the
 * option `onread`, for clients only; otherwise each read takes 64 KiB of fresh memory. The server no longer counts the connection, which must not be
 * destroyed yet.
 */
export function readInto(accepted: Socket, target: ReadTarget): Socket {
  const shell = accepted as unknown as HasHandle
  const handle = shell._handle
  if (!handle) throw new Error('a connection that is closed cannot be taken over')
  shell._handle = null
  accepted.destroy()
  const options = {
    handle,
    pauseOnCreate: true,
    // a client that half-closes still gets the responses that it waits for
    allowHalfOpen: true,
    onread: {
      buffer: () => target.buffer(),
      callback: (count: number) => {
        target.onRead(count)
        return true
      },
    },
  }
  return new Socket(options as SocketConstructorOpts)
}
