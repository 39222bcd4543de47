import { createRequire } from 'node:module'

type WasmUtils = typeof import('@platformatic/wasm-utils')

let loaded: WasmUtils | undefined

/**
 * Returns the WebAssembly compressors. Loads them on first use, because most processes and threads
 * never need them.
 */
export function wasmUtils(): WasmUtils {
  loaded ??= createRequire(import.meta.url)('@platformatic/wasm-utils') as WasmUtils
  return loaded
}
