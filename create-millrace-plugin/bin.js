#!/usr/bin/env node
import { stdin, stdout } from 'node:process'
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { createPlugin, TEMPLATES } from './create.js'

const TYPES = Object.keys(TEMPLATES).join('|')
const USAGE = `usage: create-millrace-plugin <folder> --type ${TYPES} [--name package-name] [--class ClassName] [--millrace version]`

/** Asks the user for a missing argument. Throws if stdin is not a terminal. */
async function ask(question) {
  if (!stdin.isTTY) throw new Error(USAGE)
  const terminal = createInterface({ input: stdin, output: stdout })
  try {
    return (await terminal.question(question)).trim()
  } finally {
    terminal.close()
  }
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      type: { type: 'string' },
      name: { type: 'string' },
      class: { type: 'string' },
      millrace: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    stdout.write(`${USAGE}\n`)
    process.exit(0)
  }
  const folder = positionals[0] ?? (await ask('Folder of the new plugin: '))
  const type = values.type ?? (await ask(`Type of the plugin (${TYPES}): `))
  const options = { folder, type, name: values.name, className: values.class, millrace: values.millrace }
  const { target, className } = createPlugin(options)
  stdout.write(`Created ${className} in ${target}.\nNext: cd ${folder} && npm install && npm test\n`)
} catch (error) {
  process.stderr.write(`create-millrace-plugin: ${error.message}\n`)
  process.exit(1)
}
