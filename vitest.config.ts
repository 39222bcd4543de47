import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/**
 * `npm test` runs everything but the peer tests; `npm run test:peer` (MILLRACE_PEER=1) runs only those, which need Java and
 * Apache's software. Files run in processes of their own, two at a time: the tests start real servers.
 */
const peer = process.env['MILLRACE_PEER'] === '1'

export default defineConfig({
  // the sources of the plugins' API, not the build in dist/, as `--conditions=millrace-source` does for Node
  resolve: {
    alias: [
      { find: /^millrace(\/connect)?$/, replacement: join(import.meta.dirname, 'core/connect/index.ts') },
      { find: 'millrace/testing', replacement: join(import.meta.dirname, 'core/testing/index.ts') },
      { find: 'millrace/connect/java', replacement: join(import.meta.dirname, 'core/connect/java.ts') },
    ],
  },
  test: {
    include: peer ? ['**/*.peer.test.ts'] : ['**/*.test.ts'],
    exclude: [
      '**/node_modules/**',
      'dist/**',
      'examples/**',
      'create-millrace-plugin/**',
      ...(peer ? [] : ['**/*.peer.test.ts']),
    ],
    globalSetup: ['test/services/global-setup.ts'],
    pool: 'forks',
    execArgv: ['--conditions=millrace-source'],
    // tests provoke failures on purpose: what they log would bury what is wrong
    env: { MILLRACE_LOG_LEVEL: process.env['MILLRACE_LOG_LEVEL'] ?? 'OFF' },
    maxWorkers: Number(process.env['MILLRACE_TEST_WORKERS'] ?? 2),
    testTimeout: 60_000,
    hookTimeout: 180_000,
    teardownTimeout: 30_000,
    // what is waited for may take its time on a loaded machine: the default is a second
    expect: { poll: { timeout: 20_000 } },
  },
})
