#!/usr/bin/env node
// Nothing but the version check before anything else is loaded: an old Node cannot load the rest and would show a stack.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `millrace: needs Node 22.19 or newer, this is ${process.versions.node}. Install a newer Node (https://nodejs.org).\n`,
  )
  process.exit(1)
}
// Read once, when the first file operation starts the thread pool. Four threads are few for a
// broker: see docs/operations.md.
process.env['UV_THREADPOOL_SIZE'] ??= '8'
// keeps compiled code for the next start; of no consequence where the folder for it cannot be written
const { enableCompileCache } = await import('node:module')
enableCompileCache?.()
const { main } = await import('./main.ts')
await main(process.argv)

export {}
