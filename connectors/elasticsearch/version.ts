/** The version of this connector, shown by REST. */
export const version = '0.1.0'
