// Copies the examples into this package before it is packed, so that the templates are always the
// examples.
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { TEMPLATES } from './create.js'

const here = import.meta.dirname
rmSync(join(here, 'templates'), { recursive: true, force: true })
for (const { example } of Object.values(TEMPLATES)) {
  cpSync(join(here, '../examples', example), join(here, 'templates', example), {
    recursive: true,
    filter: path => !/[\\/](node_modules|dist)([\\/]|$)/.test(path),
  })
}
