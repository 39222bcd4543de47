import { Socket, type SocketConstructorOpts } from 'node:net'

/** The receiver of the bytes that a socket reads. */
export interface ReadTarget {
  /**
   * Returns the buffer for the next read. It must not be empty. The socket owns it until the next
   * call.
   */
  buffer(): Buffer
  /** Called after `count` bytes were read to the start of the buffer. */
  onRead(count: number): void
}

/**
 * Node keeps a connection's native handle in `_handle`. The Socket option `handle`, which Node's
 * own server uses, makes a socket from it.
 */
interface HasHandle {
  _handle: object | null
}

/**
 * Takes over a connection that a server accepted with `pauseOnConnect`, and returns a paused socket
 * that reads into the given buffers. Node offers this as the `onread` option, but only for clients:
 * without it, every read allocates 64 KiB. The server no longer counts the connection. The
 * connection must not be destroyed yet.
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
    // A client that half-closes still gets its pending responses.
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
