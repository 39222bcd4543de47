import { createRequire } from 'node:module'

type WasmUtils = typeof import('@platformatic/wasm-utils')

let loaded: WasmUtils | undefined

/** The compressors in WebAssembly, loaded with the first batch that needs them: most processes and threads never do. */
export function wasmUtils(): WasmUtils {
  loaded ??= createRequire(import.meta.url)('@platformatic/wasm-utils') as WasmUtils
  return loaded
}
