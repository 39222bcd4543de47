#!/usr/bin/env node
// The version is checked before other modules are loaded: an old Node would fail to load them, with
// a stack trace.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `millrace: Node ${process.versions.node} is too old. Install Node 22.19 or newer (https://nodejs.org).\n`,
  )
  process.exit(1)
}
// Node reads this variable once, when the first file operation starts the thread pool. Four threads
// are few for a broker: see docs/operations.md.
process.env['UV_THREADPOOL_SIZE'] ??= '8'
// this cache makes the next start faster; if its folder cannot be written, there is no cache
const { enableCompileCache } = await import('node:module')
enableCompileCache?.()
const { main } = await import('./main.ts')
await main(process.argv)

export {}
