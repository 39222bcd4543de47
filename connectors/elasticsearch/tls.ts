import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { connect, type DetailedPeerCertificate } from 'node:tls'
import { messageOf } from 'millrace/connect'
import type { ElasticsearchConfig } from './config.ts'
import { errors } from './errors.ts'

export interface Tls {
  readonly ca?: string
  readonly pfx?: Buffer
  readonly cert?: string
  readonly key?: string
  readonly passphrase?: string
  readonly checkServerIdentity?: () => undefined
}

function readStore(key: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw errors.create('MR_ES_KEYSTORE', { key, path, cause: messageOf(cause) }, { cause })
  }
}

/** Returns the TLS options of a configuration. Throws MR_ES_KEYSTORE. */
export function tlsOf(config: ElasticsearchConfig): Tls {
  if (config['elastic.security.protocol'] !== 'SSL') return {}
  const trust = config['elastic.https.ssl.truststore.location']
  const own = config['elastic.https.ssl.keystore.location']
  const ca = trust ? readStore('elastic.https.ssl.truststore.location', trust).toString() : undefined
  if (trust && ca && !ca.includes('-----BEGIN')) {
    throw errors.create('MR_ES_KEYSTORE', {
      key: 'elastic.https.ssl.truststore.location',
      path: trust,
      cause: 'it is not a PEM file',
    })
  }
  const passphrase = (config['elastic.https.ssl.key.password'] ?? config['elastic.https.ssl.keystore.password'])?.value
  const bytes = own ? readStore('elastic.https.ssl.keystore.location', own) : undefined
  const pem = bytes?.includes('-----BEGIN') ? bytes.toString() : undefined
  return {
    ...(ca && { ca }),
    ...(bytes && (pem ? { cert: pem, key: pem } : { pfx: bytes })),
    ...(passphrase && { passphrase }),
    ...(config['elastic.https.ssl.endpoint.identification.algorithm'] === '' && {
      checkServerIdentity: () => undefined,
    }),
  }
}

const plain = (fingerprint: string) => fingerprint.replaceAll(':', '').toLowerCase()

function chainOf(leaf: DetailedPeerCertificate): DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = []
  for (let at: DetailedPeerCertificate | undefined = leaf; at?.raw && !chain.includes(at); at = at.issuerCertificate)
    chain.push(at)
  return chain
}

/**
 * Returns the server's certificate with this SHA-256 fingerprint, as PEM. The certificate can be
 * trusted because the configuration names its fingerprint. Connections are then verified as usual.
 * Throws MR_ES_FINGERPRINT, MR_ES_UNREACHABLE.
 */
export async function certificateByFingerprint(
  url: URL,
  fingerprint: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const { promise, resolve, reject } = Promise.withResolvers<DetailedPeerCertificate>()
  // This connection only reads the certificates. No request is sent over it.
  const socket = connect({
    host,
    port: Number(url.port || 443),
    rejectUnauthorized: false,
    ...(isIP(host) === 0 && { servername: host }),
  })
  const stop = () => socket.destroy(new Error('the task stops'))
  signal.addEventListener('abort', stop)
  socket.once('error', reject)
  socket.once('close', () => reject(new Error('the connection was closed')))
  socket.once('secureConnect', () => resolve(socket.getPeerCertificate(true)))
  if (timeoutMs > 0) socket.setTimeout(timeoutMs, () => socket.destroy(new Error('connection timeout')))
  try {
    signal.throwIfAborted()
    const found = chainOf(await promise).find(c => plain(c.fingerprint256) === plain(fingerprint))
    if (!found) throw errors.create('MR_ES_FINGERPRINT', { url: url.origin, fingerprint })
    return new X509Certificate(found.raw).toString()
  } catch (error) {
    signal.throwIfAborted()
    if ((error as { code?: string }).code === 'MR_ES_FINGERPRINT') throw error
    throw errors.create('MR_ES_UNREACHABLE', { url: url.origin, cause: messageOf(error) }, { cause: error })
  } finally {
    signal.removeEventListener('abort', stop)
    socket.destroy()
  }
}
