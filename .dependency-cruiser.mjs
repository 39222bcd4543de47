/**
 * The dependency rules that `npm run dependencies` checks (ARCHITECTURE.md shows them as a
 * picture). scripts/dependencies/rules.test.ts breaks each rule once.
 */
import { entryPoints, forbidden } from './scripts/dependencies/rules.ts'
import './scripts/dependencies/using-declarations.ts'

export default {
  forbidden: forbidden(entryPoints(process.cwd())),
  options: {
    // swc reads TypeScript without the compiler's API, which TypeScript 7 does not have yet
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['millrace-source', 'import', 'node', 'default', 'types'],
    },
  },
}
