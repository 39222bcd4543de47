// Plugins that note in a file what is done with them.
import { appendFileSync } from 'node:fs'
import { defineConfig, SourceConnector, SourceTask } from 'millrace/connect'

const config = defineConfig({})

export class NotingTransform {
  version = '1'
  config = config

  configure(props) {
    this.props = props
    if (props.how === 'fails') throw new Error('cannot be configured')
  }

  apply(record) {
    return record
  }

  close() {
    appendFileSync(this.props.file, `closed ${this.props.how}\n`)
    if (this.props.how === 'close fails') throw new Error('cannot be closed')
  }
}

class NotingTask extends SourceTask {
  version = '1'

  start(props) {
    this.props = props
    appendFileSync(props.file, 'started\n')
  }

  async poll() {
    await new Promise(resolve => this.context.signal.addEventListener('abort', resolve, { once: true }))
    return null
  }

  stop() {
    appendFileSync(this.props.file, 'stopped\n')
  }
}

export class NotingSource extends SourceConnector {
  version = '1'
  config = config
  taskClass = NotingTask
  start() {}
  taskConfigs() {
    return []
  }
  stop() {}
}
