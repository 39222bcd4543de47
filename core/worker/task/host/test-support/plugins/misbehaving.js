// This plugin is plain JavaScript and imports the package by its name, like a third-party plugin.
import { defineConfig, SourceConnector, SourceTask } from 'millrace/connect'

const config = defineConfig({
  mode: { type: 'STRING', importance: 'HIGH', documentation: 'What goes wrong.' },
  secret: { type: 'PASSWORD', default: null, importance: 'LOW', documentation: 'Not to be shown.' },
})

/** A task that fails in the way that its `mode` specifies. */
class MisbehavingTask extends SourceTask {
  #mode = ''
  #secret = ''
  #hoard = []

  async start({ mode, secret }) {
    this.#mode = mode
    this.#secret = secret?.value
    if (this.#mode === 'fail-start') throw new Error('cannot start')
  }

  async poll() {
    switch (this.#mode) {
      case 'loop':
        for (;;);
      case 'throw-later':
        setTimeout(() => {
          throw new Error('uncaught error')
        }, 1)
        break
      case 'leak-later':
        console.error(`two\nlines ${this.#secret}`)
        setTimeout(() => {
          const cause = new Error(`cause ${this.#secret}`)
          throw Object.assign(new Error(`uncaught ${this.#secret}`, { cause }), { code: 'E_OWN' })
        }, 1)
        break
      case 'leak-text-later':
        setTimeout(() => {
          throw `uncaught ${this.#secret}`
        }, 1)
        break
      case 'reject-later':
        void Promise.reject(new Error('unhandled rejection'))
        break
      case 'exit':
        process.exit(3)
        break
      case 'hoard':
        for (;;) this.#hoard.push(new Array(10_000).fill(Math.random()))
      case 'hoard-buffers':
        for (let i = 0; i < 40; i++) this.#hoard.push(Buffer.alloc(4 * 1024 * 1024, 1))
        break
      case 'hang-stop':
        return new Promise(() => undefined)
    }
    if (!this.context.signal.aborted) {
      await new Promise(resolve => this.context.signal.addEventListener('abort', () => resolve()))
    }
    return null
  }
}

export class MisbehavingConnector extends SourceConnector {
  config = config
  taskClass = MisbehavingTask

  start({ mode }) {
    if (mode === 'fail-connector') throw new Error('connector cannot start')
    if (mode === 'reconfigure') setTimeout(() => this.context.requestTaskReconfiguration(), 1)
    if (mode === 'raise') setTimeout(() => this.context.raiseError(new Error('raised')), 1)
  }

  taskConfigs(maxTasks) {
    return Array.from({ length: maxTasks }, (_, n) => ({ ...this.context.configs, n: String(n) }))
  }

  validate({ mode }, { addError }) {
    if (mode === 'refused') addError('mode', 'mode refused')
  }
}

export class FaultyConstructor {
  constructor() {
    throw new Error('no arguments, no instance')
  }
}
