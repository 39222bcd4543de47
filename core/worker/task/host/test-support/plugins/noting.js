// These plugins write a line to a file when the runtime calls them.
import { appendFileSync } from 'node:fs'
import { defineConfig, SourceConnector, SourceTask } from 'millrace/connect'

const config = defineConfig({
  file: { type: 'STRING', importance: 'HIGH', documentation: 'Where the plugins note what happens.' },
  how: { type: 'STRING', default: null, importance: 'LOW', documentation: 'What goes wrong.' },
})

export class NotingTransform {
  config = config

  configure(settings) {
    this.settings = settings
    if (settings.how === 'fails') throw new Error('cannot be configured')
  }

  apply(record) {
    return record
  }

  close() {
    appendFileSync(this.settings.file, `closed ${this.settings.how}\n`)
    if (this.settings.how === 'close fails') throw new Error('cannot be closed')
  }
}

class NotingTask extends SourceTask {
  start(settings) {
    this.settings = settings
    appendFileSync(settings.file, 'started\n')
  }

  async poll() {
    await new Promise(resolve => this.context.signal.addEventListener('abort', resolve, { once: true }))
    return null
  }

  stop() {
    appendFileSync(this.settings.file, 'stopped\n')
  }
}

export class NotingSource extends SourceConnector {
  config = config
  taskClass = NotingTask
  taskConfigs() {
    return []
  }
}
