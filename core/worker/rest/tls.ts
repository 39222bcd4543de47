import { readFileSync } from 'node:fs'
import type { ServerOptions } from 'node:https'
import { ConfigError } from '../../common/config/parse.ts'
import type { Props } from '../../connect/props.ts'

/**
 * Returns the TLS options of an https listener, from Kafka's `ssl.*` settings. Settings with the
 * prefix (`listeners.https.`) take precedence. Stores of type PKCS12 and PEM are supported, but JKS
 * is not. Throws a ConfigError that names the invalid setting.
 */
export function tlsOptions(props: Props, prefix: string): ServerOptions {
  const get = (key: string) => props[`${prefix}${key}`] ?? props[key]
  const location = get('ssl.keystore.location')
  const inlineKey = get('ssl.keystore.key')
  const inlineChain = get('ssl.keystore.certificate.chain')
  const options: ServerOptions = {}
  const passphrase = get('ssl.key.password') ?? get('ssl.keystore.password')
  if (passphrase !== undefined) options.passphrase = passphrase
  if (inlineKey !== undefined && inlineChain !== undefined) {
    options.key = inlineKey
    options.cert = inlineChain
  } else if (location !== undefined) {
    const bytes = read('ssl.keystore.location', location)
    if (storeType(get('ssl.keystore.type'), location, 'ssl.keystore.type') === 'PEM') {
      options.key = bytes
      options.cert = bytes
    } else options.pfx = bytes
  } else {
    throw wrong('ssl.keystore.location', 'an https listener needs a keystore of type PKCS12 or PEM')
  }
  const trust = get('ssl.truststore.location')
  const inlineTrust = get('ssl.truststore.certificates')
  if (inlineTrust !== undefined) options.ca = inlineTrust
  else if (trust !== undefined) {
    if (storeType(get('ssl.truststore.type'), trust, 'ssl.truststore.type') !== 'PEM')
      throw wrong('ssl.truststore.type', 'the truststore of a listener must be of type PEM')
    options.ca = read('ssl.truststore.location', trust)
  }
  const auth = get('ssl.client.auth')?.toLowerCase()
  options.requestCert = auth === 'required' || auth === 'requested'
  options.rejectUnauthorized = auth === 'required'
  return options
}

function storeType(given: string | undefined, location: string, key: string): 'PEM' | 'PKCS12' {
  const type = given?.toUpperCase() ?? (/\.(pem|crt|key)$/i.test(location) ? 'PEM' : 'JKS')
  if (type === 'PEM' || type === 'PKCS12') return type
  throw wrong(
    key,
    `stores of type ${type} are not supported; convert the store with keytool -importkeystore -deststoretype PKCS12`,
  )
}

function read(key: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw wrong(key, (error as Error).message)
  }
}

function wrong(key: string, message: string): ConfigError {
  return new ConfigError([{ key, message: `Invalid value for configuration ${key}: ${message}` }])
}
