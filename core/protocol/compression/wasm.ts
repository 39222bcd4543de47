import { createRequire } from 'node:module'

type WasmUtils = typeof import('@platformatic/wasm-utils')

let loaded: WasmUtils | undefined

/**
 * Returns the WebAssembly compressors. They are loaded with the first batch that needs them, which
 * most processes and threads never have.
 */
export function wasmUtils(): WasmUtils {
  loaded ??= createRequire(import.meta.url)('@platformatic/wasm-utils') as WasmUtils
  return loaded
}
