#!/usr/bin/env node
// This file checks Node's version before it loads other modules. An old Node would fail to load
// them, and would print a stack trace.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `millrace: Node ${process.versions.node} is too old. Install Node 22.19 or newer (https://nodejs.org).\n`,
  )
  process.exit(1)
}
// Node reads this variable once, when the first file operation starts the thread pool. The default
// of four threads is too few for a broker: see docs/operations.md.
process.env['UV_THREADPOOL_SIZE'] ??= '8'
// The compile cache makes the next start faster. If its directory cannot be written, there is no
// cache.
const { enableCompileCache } = await import('node:module')
enableCompileCache?.()
const { main } = await import('./main.ts')
await main(process.argv)

export {}
