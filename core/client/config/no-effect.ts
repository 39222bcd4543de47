/**
 * Why the settings for classes and metrics of the Java client have no effect. They are ignored
 * without a warning.
 */
export const JAVA_ONLY = 'Only the Java client has this feature.'
export const NO_SECURITY = 'TLS and SASL are not supported yet.'
export const NO_TRANSACTIONS = 'Transactions are not supported yet.'
