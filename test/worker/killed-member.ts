import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const CLIENT = new URL('../../core/client/index.ts', import.meta.url).href

export interface MemberOptions {
  readonly bootstrap: string
  readonly groupId: string
  readonly topic: string
  readonly sessionTimeoutMs: number
}

/**
 * Joins a consumer group in another process and kills that process, so the member does not leave
 * the group. Returns the id of the member.
 */
export async function killMember(o: MemberOptions): Promise<string> {
  const options = { bootstrapServers: [o.bootstrap], groupId: o.groupId, sessionTimeoutMs: o.sessionTimeoutMs }
  const code = `
    import { createConsumer } from ${JSON.stringify(CLIENT)}
    const consumer = createConsumer(${JSON.stringify(options)})
    consumer.subscribe([${JSON.stringify(o.topic)}])
    while (consumer.assignment().length === 0) await consumer.poll(100)
    console.log(consumer.groupMetadata().memberId)
    for (;;) await consumer.poll(100)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [memberId] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  child.kill('SIGKILL')
  await once(child, 'exit')
  return memberId
}
