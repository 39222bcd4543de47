import { defineConfig } from '../../common/config/define.ts'
import { key } from '../../common/config/key.ts'
import { oneOf } from '../../common/config/validators.ts'
import { distinctNames } from './distinct.ts'
import { NO_SECURITY } from './no-effect.ts'

const idle = <const I extends 'HIGH' | 'MEDIUM' | 'LOW'>(importance: I, documentation: string) => ({
  importance,
  documentation,
  noEffect: NO_SECURITY,
})

const sslConfig = defineConfig({
  'ssl.cipher.suites': key.list({
    default: [],
    validator: distinctNames,
    ...idle('LOW', 'The cipher suites that TLS may use. Empty: all.'),
  }),
  'ssl.enabled.protocols': key.list({
    default: 'TLSv1.2,TLSv1.3',
    validator: distinctNames,
    ...idle('MEDIUM', 'The versions of TLS that may be used.'),
  }),
  'ssl.endpoint.identification.algorithm': key.string({
    default: 'https',
    ...idle('LOW', "How to check the broker's host name against its certificate. Empty: no check."),
  }),
  'ssl.engine.factory.class': key.class({ default: null, ...idle('LOW', 'The Java class that creates TLS engines.') }),
  'ssl.key.password': key.password({
    default: null,
    ...idle('HIGH', 'The password of the private key in the key store.'),
  }),
  'ssl.keymanager.algorithm': key.string({
    default: 'SunX509',
    ...idle('LOW', 'The algorithm of the Java key manager.'),
  }),
  'ssl.keystore.certificate.chain': key.password({
    default: null,
    ...idle('HIGH', 'The certificate chain of the client, in PEM format.'),
  }),
  'ssl.keystore.key': key.password({
    default: null,
    ...idle('HIGH', 'The private key of the client, in PEM format.'),
  }),
  'ssl.keystore.location': key.string({
    default: null,
    ...idle('HIGH', 'The file with the key and certificate of the client.'),
  }),
  'ssl.keystore.password': key.password({ default: null, ...idle('HIGH', 'The password of the key store.') }),
  'ssl.keystore.type': key.string({ default: 'JKS', ...idle('MEDIUM', 'The format of the key store.') }),
  'ssl.protocol': key.string({ default: 'TLSv1.3', ...idle('MEDIUM', 'The preferred version of TLS.') }),
  'ssl.provider': key.string({ default: null, ...idle('MEDIUM', 'The Java security provider for TLS.') }),
  'ssl.secure.random.implementation': key.string({
    default: null,
    ...idle('LOW', 'The random number generator for TLS.'),
  }),
  'ssl.trustmanager.algorithm': key.string({
    default: 'PKIX',
    ...idle('LOW', 'The algorithm of the Java trust manager.'),
  }),
  'ssl.truststore.certificates': key.password({
    default: null,
    ...idle('HIGH', 'The trusted certificates, in PEM format.'),
  }),
  'ssl.truststore.location': key.string({
    default: null,
    ...idle('HIGH', 'The file with the trusted certificates.'),
  }),
  'ssl.truststore.password': key.password({ default: null, ...idle('HIGH', 'The password of the trust store.') }),
  'ssl.truststore.type': key.string({ default: 'JKS', ...idle('MEDIUM', 'The format of the trust store.') }),
  'security.providers': key.string({
    default: null,
    ...idle('LOW', 'Java classes that create security providers.'),
  }),
})

const saslConfig = defineConfig({
  'sasl.mechanism': key.string({
    default: 'GSSAPI',
    ...idle('MEDIUM', 'The SASL mechanism, such as PLAIN, SCRAM-SHA-512, OAUTHBEARER or GSSAPI (Kerberos).'),
  }),
  'sasl.jaas.config': key.password({
    default: null,
    ...idle('MEDIUM', 'The login module and the credentials, in JAAS format.'),
  }),
  'sasl.client.callback.handler.class': key.class({
    default: null,
    ...idle('MEDIUM', 'The Java class that supplies credentials to the SASL client.'),
  }),
  'sasl.login.callback.handler.class': key.class({
    default: null,
    ...idle('MEDIUM', 'The Java class that supplies credentials at login.'),
  }),
  'sasl.login.class': key.class({ default: null, ...idle('MEDIUM', 'The Java class that performs the login.') }),
  'sasl.login.connect.timeout.ms': key.int({
    default: null,
    ...idle('LOW', 'The time to wait for a connection to the OAuth server, in milliseconds.'),
  }),
  'sasl.login.read.timeout.ms': key.int({
    default: null,
    ...idle('LOW', 'The time to wait for a response of the OAuth server, in milliseconds.'),
  }),
  'sasl.login.refresh.buffer.seconds': key.short({
    default: 300,
    min: 0,
    max: 3600,
    ...idle('LOW', 'The shortest time between the refresh of a credential and its expiry, in seconds.'),
  }),
  'sasl.login.refresh.min.period.seconds': key.short({
    default: 60,
    min: 0,
    max: 900,
    ...idle('LOW', 'The shortest time between two refreshes of a credential, in seconds.'),
  }),
  'sasl.login.refresh.window.factor': key.double({
    default: 0.8,
    min: 0.5,
    max: 1,
    ...idle('LOW', "The fraction of a credential's lifetime after which it is refreshed."),
  }),
  'sasl.login.refresh.window.jitter': key.double({
    default: 0.05,
    min: 0,
    max: 0.25,
    ...idle('LOW', "The largest random delay of a refresh, as a fraction of the credential's lifetime."),
  }),
  'sasl.login.retry.backoff.ms': key.long({
    default: 100,
    ...idle('LOW', 'The delay before the first retry of a login, in milliseconds.'),
  }),
  'sasl.login.retry.backoff.max.ms': key.long({
    default: 10_000,
    ...idle('LOW', 'The longest delay between two retries of a login, in milliseconds.'),
  }),
  'sasl.kerberos.service.name': key.string({
    default: null,
    ...idle('MEDIUM', 'The Kerberos service name of the brokers.'),
  }),
  'sasl.kerberos.kinit.cmd': key.string({
    default: '/usr/bin/kinit',
    ...idle('LOW', 'The path of the Kerberos command kinit.'),
  }),
  'sasl.kerberos.min.time.before.relogin': key.long({
    default: 60_000,
    ...idle('LOW', 'The shortest time between two Kerberos logins, in milliseconds.'),
  }),
  'sasl.kerberos.ticket.renew.jitter': key.double({
    default: 0.05,
    ...idle('LOW', 'The random fraction that is added to the renewal time of a Kerberos ticket.'),
  }),
  'sasl.kerberos.ticket.renew.window.factor': key.double({
    default: 0.8,
    ...idle('LOW', "The fraction of a Kerberos ticket's lifetime after which it is renewed."),
  }),
})

const oauthConfig = defineConfig({
  'sasl.oauthbearer.token.endpoint.url': key.string({
    default: null,
    ...idle('MEDIUM', 'The URL from which the client gets OAuth tokens.'),
  }),
  'sasl.oauthbearer.client.credentials.client.id': key.string({
    default: null,
    ...idle('MEDIUM', 'The id of the OAuth client.'),
  }),
  'sasl.oauthbearer.client.credentials.client.secret': key.password({
    default: null,
    ...idle('MEDIUM', 'The secret of the OAuth client.'),
  }),
  'sasl.oauthbearer.scope': key.string({ default: null, ...idle('MEDIUM', 'The scope of the requested OAuth token.') }),
  'sasl.oauthbearer.scope.claim.name': key.string({
    default: 'scope',
    ...idle('LOW', 'The claim of an OAuth token that contains its scope.'),
  }),
  'sasl.oauthbearer.sub.claim.name': key.string({
    default: 'sub',
    ...idle('LOW', 'The claim of an OAuth token that contains its subject.'),
  }),
  'sasl.oauthbearer.header.urlencode': key.boolean({
    default: false,
    ...idle('LOW', 'Whether the id and secret of the OAuth client are URL-encoded in the authorization header.'),
  }),
  'sasl.oauthbearer.jwt.retriever.class': key.class({
    default: 'org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever',
    ...idle('MEDIUM', 'The Java class that gets OAuth tokens.'),
  }),
  'sasl.oauthbearer.jwt.validator.class': key.class({
    default: 'org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator',
    ...idle('MEDIUM', 'The Java class that checks OAuth tokens.'),
  }),
  'sasl.oauthbearer.jwks.endpoint.url': key.string({
    default: null,
    ...idle('MEDIUM', 'The URL of the public keys that verify the signatures of OAuth tokens.'),
  }),
  'sasl.oauthbearer.jwks.endpoint.refresh.ms': key.long({
    default: 3_600_000,
    ...idle('LOW', 'The interval at which the client gets the public keys for OAuth tokens again, in milliseconds.'),
  }),
  'sasl.oauthbearer.jwks.endpoint.retry.backoff.ms': key.long({
    default: 100,
    ...idle('LOW', 'The delay before the first retry of a failed request for public keys, in milliseconds.'),
  }),
  'sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms': key.long({
    default: 10_000,
    ...idle('LOW', 'The longest delay between two requests for public keys, in milliseconds.'),
  }),
  'sasl.oauthbearer.clock.skew.seconds': key.int({
    default: 30,
    ...idle('LOW', 'The tolerated difference between the clocks of client and OAuth server, in seconds.'),
  }),
  'sasl.oauthbearer.expected.audience': key.list({
    default: [],
    validator: distinctNames,
    ...idle('HIGH', 'The audiences for which a token must be issued. Empty: any.'),
  }),
  'sasl.oauthbearer.expected.issuer': key.string({
    default: null,
    ...idle('HIGH', 'The issuer from which a token must come.'),
  }),
  'sasl.oauthbearer.assertion.algorithm': key.string({
    default: 'RS256',
    validator: oneOf(['ES256', 'RS256'], { ignoreCase: true }),
    ...idle('MEDIUM', 'The algorithm with which the client signs its assertion.'),
  }),
  'sasl.oauthbearer.assertion.claim.aud': key.string({
    default: null,
    ...idle('MEDIUM', 'The audience claim of the assertion.'),
  }),
  'sasl.oauthbearer.assertion.claim.exp.seconds': key.int({
    default: 300,
    min: 0,
    max: 86_400,
    ...idle('LOW', 'The lifetime of the assertion, in seconds.'),
  }),
  'sasl.oauthbearer.assertion.claim.iss': key.string({
    default: null,
    ...idle('MEDIUM', 'The issuer claim of the assertion.'),
  }),
  'sasl.oauthbearer.assertion.claim.jti.include': key.boolean({
    default: false,
    ...idle('MEDIUM', 'Whether the assertion contains a unique id.'),
  }),
  'sasl.oauthbearer.assertion.claim.nbf.seconds': key.int({
    default: 60,
    min: 0,
    max: 3600,
    ...idle('LOW', 'How far before its creation the assertion becomes valid, in seconds.'),
  }),
  'sasl.oauthbearer.assertion.claim.sub': key.string({
    default: null,
    ...idle('MEDIUM', 'The subject claim of the assertion.'),
  }),
  'sasl.oauthbearer.assertion.file': key.string({
    default: null,
    ...idle('MEDIUM', 'The file with a ready-made assertion.'),
  }),
  'sasl.oauthbearer.assertion.private.key.file': key.string({
    default: null,
    ...idle('MEDIUM', 'The file with the private key that signs the assertion.'),
  }),
  'sasl.oauthbearer.assertion.private.key.passphrase': key.password({
    default: null,
    ...idle('MEDIUM', 'The passphrase of the private key that signs the assertion.'),
  }),
  'sasl.oauthbearer.assertion.template.file': key.string({
    default: null,
    ...idle('MEDIUM', 'The file with the template of the assertion.'),
  }),
})

/** The TLS and SASL settings that all clients have. None of these settings has an effect yet. */
export const securityConfig = defineConfig({ ...sslConfig, ...saslConfig, ...oauthConfig })
