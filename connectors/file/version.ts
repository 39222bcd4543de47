/** The version of these connectors, shown by REST. */
export const version = '0.1.0'
