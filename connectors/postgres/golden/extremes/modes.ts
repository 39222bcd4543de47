/** Configurations by the name of their mode. Together they cover all representations of values. */
export const MODES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  adaptive: {},
  strings: {
    'time.precision.mode': 'isostring',
    'decimal.handling.mode': 'string',
    'binary.handling.mode': 'base64',
    'interval.handling.mode': 'string',
    'hstore.handling.mode': 'map',
    'include.unknown.datatypes': 'true',
  },
  connect: {
    'time.precision.mode': 'connect',
    'decimal.handling.mode': 'double',
    'binary.handling.mode': 'hex',
    'include.unknown.datatypes': 'true',
  },
  'adaptive-time': {
    'time.precision.mode': 'adaptive_time_microseconds',
    'binary.handling.mode': 'base64-url-safe',
    'include.unknown.datatypes': 'true',
    'money.fraction.digits': '0',
  },
  microseconds: { 'time.precision.mode': 'microseconds', 'include.unknown.datatypes': 'true' },
  nanoseconds: { 'time.precision.mode': 'nanoseconds' },
}
