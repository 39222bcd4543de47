import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/**
 * `npm test` runs everything except the peer tests. `npm run test:peer` (MILLRACE_PEER=1) runs only
 * those: they need Java and Apache's software. Each test file runs in a separate process, two at a
 * time, because the tests start real servers.
 */
const peer = process.env['MILLRACE_PEER'] === '1'

/**
 * The lowest coverage of each area in percent, of lines and of branches: a little below the
 * coverage of the area's own tests. A change that lowers it needs more tests. Only code in the test
 * processes is counted. `cli` has no limit, because its tests run it in child processes; neither do
 * task threads count, so the figures of `core/worker` are lower than its real coverage.
 */
const MINIMUM: Readonly<Record<string, readonly [lines: number, branches: number]>> = {
  'core/common': [82, 83],
  'core/protocol': [97, 92],
  'core/client': [92, 79],
  'core/connect': [96, 92],
  'core/broker': [93, 85],
  'core/worker': [78, 70],
  'connectors/cdc': [94, 85],
  'connectors/file': [88, 82],
  'connectors/elasticsearch': [93, 82],
  'connectors/postgres': [95, 86],
  transforms: [95, 87],
  converters: [92, 85],
}

export default defineConfig({
  // the sources of the plugins' API, not the build in dist/, as `--conditions=millrace-source` does
  // for Node
  resolve: {
    alias: [
      { find: /^millrace(\/connect)?$/, replacement: join(import.meta.dirname, 'core/connect/index.ts') },
      { find: 'millrace/testing', replacement: join(import.meta.dirname, 'core/testing/index.ts') },
      { find: 'millrace/connect/java', replacement: join(import.meta.dirname, 'core/connect/java.ts') },
    ],
  },
  test: {
    // `npm test -- --coverage`, as .ci/run does; only a run of all tests reaches the limits
    coverage: {
      provider: 'v8',
      reporter: ['text-summary', 'json-summary'],
      include: Object.keys(MINIMUM).map(area => `${area}/**/*.ts`),
      exclude: ['**/*.test.ts', '**/test-support/**', '**/golden/**'],
      thresholds: Object.fromEntries(
        Object.entries(MINIMUM).map(([area, [lines, branches]]) => [`${area}/**/*.ts`, { lines, branches }]),
      ),
    },
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
    // tests provoke failures on purpose, and their log lines would hide the real failures
    env: { MILLRACE_LOG_LEVEL: process.env['MILLRACE_LOG_LEVEL'] ?? 'OFF' },
    maxWorkers: Number(process.env['MILLRACE_TEST_WORKERS'] ?? 2),
    testTimeout: 60_000,
    hookTimeout: 180_000,
    teardownTimeout: 30_000,
    // the default of one second is too short on a busy machine
    expect: { poll: { timeout: 20_000 } },
  },
})
