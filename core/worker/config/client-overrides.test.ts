import { expect, test } from 'vitest'
import { clientConfig } from '../../client/properties.ts'
import { isSecretClientKey } from './client-overrides.ts'

test('every client setting of type PASSWORD is secret, with and without a prefix, and no other setting is', () => {
  for (const [name, { type }] of Object.entries(clientConfig)) {
    expect(isSecretClientKey(name), name).toBe(type === 'PASSWORD')
    expect(isSecretClientKey(`producer.override.${name}`), name).toBe(type === 'PASSWORD')
  }
})
