import type { Logger } from 'millrace/connect'

/** A logger that keeps its lines. */
export interface TestLog {
  readonly logger: Logger
  text(): string
}

export function createTestLogger(): TestLog {
  const lines: string[] = []
  const at = (level: string) => (message: string, error?: unknown) => {
    lines.push(`${level} ${message}${error instanceof Error ? ` ${error.stack}` : ''}`)
  }
  const logger: Logger = {
    name: 'test',
    trace: at('TRACE'),
    debug: at('DEBUG'),
    info: at('INFO'),
    warn: at('WARN'),
    error: at('ERROR'),
    isEnabled: () => true,
    withContext: () => logger,
  }
  return { logger, text: () => lines.join('\n') }
}
