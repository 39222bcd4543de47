import { startBroker } from '../../core/broker/broker.ts'
import { readProperties } from '../../core/common/config/properties.ts'
import { errors } from '../errors.ts'
import { serve } from '../lifecycle.ts'

/** Parses the values of `--override key=value`, an option of kafka-server-start.sh. */
export function parseOverrides(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map(text => {
      const at = text.indexOf('=')
      if (at <= 0) throw errors.create('MR_CLI_OVERRIDE', { text })
      return [text.slice(0, at).trim(), text.slice(at + 1).trim()]
    }),
  )
}

/** Runs `millrace broker server.properties [--override k=v]`. */
export async function broker(file: string, options: { override?: readonly string[] }): Promise<void> {
  const properties = { ...readProperties(file), ...parseOverrides(options.override ?? []) }
  await serve(async life => {
    const running = await startBroker(properties)
    life.add('the broker', () => running.close())
  })
}
