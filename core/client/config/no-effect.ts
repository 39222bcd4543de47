/**
 * The reason why settings for Java classes and for metrics have no effect. Clients ignore these
 * settings without a warning.
 */
export const JAVA_ONLY = 'Only the Java client has this feature.'
export const NO_SECURITY = 'TLS and SASL are not supported yet.'
export const NO_TRANSACTIONS = 'Transactions are not supported yet.'
