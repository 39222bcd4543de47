import { startBroker } from '../../core/broker/broker.ts'
import { readProperties } from '../../core/common/config/properties.ts'
import { errors } from '../errors.ts'
import { serve } from '../lifecycle.ts'

/** `--override key=value`, repeated, as kafka-server-start.sh has it. */
export function parseOverrides(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map(text => {
      const at = text.indexOf('=')
      if (at <= 0) throw errors.create('MR_CLI_OVERRIDE', { text })
      return [text.slice(0, at).trim(), text.slice(at + 1).trim()]
    }),
  )
}

/** `millrace broker server.properties [--override k=v]` */
export async function broker(file: string, options: { override: readonly string[] }): Promise<void> {
  const properties = { ...readProperties(file), ...parseOverrides(options.override) }
  await serve(async life => {
    const running = await startBroker(properties)
    life.add('the broker', () => running.close())
  })
}
