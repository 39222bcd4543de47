import { defineConfig, key, oneOf } from 'millrace/connect'
import { fingerprint, NO_KERBEROS, noKerberos } from './validators.ts'

const SECURITY = 'Security'
const IGNORE_CASE = { ignoreCase: true }

/** Keys of TLS and Kerberos. */
export const securityKeys = defineConfig({
  'elastic.security.protocol': key.string({
    default: 'PLAINTEXT',
    validator: oneOf(['PLAINTEXT', 'SSL'], IGNORE_CASE),
    importance: 'MEDIUM',
    group: SECURITY,
    documentation:
      'Set SSL to apply the settings elastic.https.ssl.*. With PLAINTEXT, connections to https:// URLs use the defaults of Node.',
  }),
  'elastic.https.ssl.keystore.location': key.string({
    default: null,
    importance: 'MEDIUM',
    group: SECURITY,
    documentation: 'The file with the certificate and key of the client: a PKCS12 store, or a PEM file with both.',
  }),
  'elastic.https.ssl.keystore.password': key.password({
    default: null,
    importance: 'MEDIUM',
    group: SECURITY,
    documentation: 'The password of the key store.',
  }),
  'elastic.https.ssl.key.password': key.password({
    default: null,
    importance: 'MEDIUM',
    group: SECURITY,
    documentation: 'The password of the key in the key store, if it differs from that of the store.',
  }),
  'elastic.https.ssl.keystore.type': key.string({
    default: 'PKCS12',
    validator: oneOf(['PKCS12', 'PEM', 'JKS'], IGNORE_CASE),
    importance: 'LOW',
    group: SECURITY,
    documentation: 'The format of the key store. JKS is rejected. Convert it to PKCS12.',
  }),
  'elastic.https.ssl.truststore.location': key.string({
    default: null,
    importance: 'MEDIUM',
    group: SECURITY,
    documentation: 'The PEM file with the trusted certificates. Default: the certificates that Node trusts.',
  }),
  'elastic.https.ssl.truststore.password': key.password({
    default: null,
    importance: 'MEDIUM',
    group: SECURITY,
    documentation: 'The password of the trust store. PEM files have none.',
  }),
  'elastic.https.ssl.truststore.type': key.string({
    default: 'PEM',
    validator: oneOf(['PEM', 'PKCS12', 'JKS'], IGNORE_CASE),
    importance: 'LOW',
    group: SECURITY,
    documentation: 'The format of the trust store. Only PEM is supported. Convert other formats.',
  }),
  'elastic.https.ssl.ca.fingerprint': key.string({
    default: '',
    validator: fingerprint,
    importance: 'LOW',
    group: SECURITY,
    documentation:
      'The SHA-256 fingerprint of the trusted certificate authority. Set it instead of a trust store. The server must send the certificate of the authority too, as Elasticsearch does by default. Millrace only.',
  }),
  'elastic.https.ssl.endpoint.identification.algorithm': key.string({
    default: 'https',
    importance: 'LOW',
    group: SECURITY,
    documentation:
      'https checks that the certificate of the server matches its host name. An empty value turns this check off.',
  }),
  'kerberos.user.principal': key.string({
    default: null,
    validator: noKerberos,
    importance: 'LOW',
    group: SECURITY,
    noEffect: NO_KERBEROS,
    documentation: 'The Kerberos principal of the user.',
  }),
  'kerberos.keytab.path': key.string({
    default: null,
    validator: noKerberos,
    importance: 'LOW',
    group: SECURITY,
    noEffect: NO_KERBEROS,
    documentation: 'The file with the Kerberos key of the user.',
  }),
})
