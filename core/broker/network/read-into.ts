import { Socket, type SocketConstructorOpts } from 'node:net'

/** Receives the bytes that a socket reads. */
export interface ReadTarget {
  /**
   * Returns the buffer for the next read, which must not be empty. The socket uses the buffer until
   * the next call.
   */
  buffer(): Buffer
  /** Called after `count` bytes have been read into the start of the buffer. */
  onRead(count: number): void
}

/**
 * A connection's native handle, which Node keeps in `_handle`. A new Socket can be created from the
 * handle with the option `handle`, as Node's own server does.
 */
interface HasHandle {
  _handle: object | null
}

/**
 * Takes over a connection that a server accepted with `pauseOnConnect`. Returns a paused socket
 * that reads into the target's buffers. Without this, every read allocates 64 KiB: Node has the
 * option `onread` for this purpose, but only for clients. The server no longer counts the
 * connection. Throws if the connection is already closed.
 */
export function readInto(accepted: Socket, target: ReadTarget): Socket {
  const shell = accepted as unknown as HasHandle
  const handle = shell._handle
  if (!handle) throw new Error('a closed connection cannot be taken over')
  shell._handle = null
  accepted.destroy()
  const options = {
    handle,
    pauseOnCreate: true,
    // A client that half-closes the connection still gets its pending responses.
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
