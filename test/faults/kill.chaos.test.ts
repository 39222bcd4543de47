/**
 * Kills the process right after each response of the REST API. After a restart, all confirmed
 * changes are still there.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sleep } from '../../core/common/async/sleep.ts'
import { eventually } from '../platform.ts'
import { random } from '../random.ts'
import { type Fixture, fixture, OtherPipeline } from './harness.ts'

const seed = Number(process.env['MILLRACE_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const rng = random(seed)
let f: Fixture
beforeAll(async () => {
  f = await fixture()
  await f.platform.start()
})
afterAll(() => f.close())

test(`a change survives a kill -9 right after the response of the REST API (seed ${seed})`, async () => {
  console.log(`MILLRACE_SEED=${seed}`)
  const otherPipeline = await new OtherPipeline(f.dir, f.platform).start()
  const wanted = new Map<string, { file: string; state: string }>()
  for (let n = 0; n < 8; n++) {
    const name = `c${rng.below(3)}`
    const had = wanted.get(name)
    const what = had ? ['config', 'delete', 'pause', 'stop'][rng.below(4)]! : 'create'
    const file = join(f.dir, `in-${n}`)
    const config = { 'connector.class': 'FileStreamSource', file, topic: 'killed' }
    if (what === 'create') {
      await f.platform.create(name, config)
      wanted.set(name, { file, state: 'RUNNING' })
    } else if (what === 'config') {
      expect((await f.platform.rest('PUT', `/connectors/${name}/config`, config)).status).toBe(200)
      wanted.set(name, { file, state: had!.state })
    } else if (what === 'delete') {
      expect((await f.platform.rest('DELETE', `/connectors/${name}`)).status).toBe(204)
      wanted.delete(name)
    } else {
      expect((await f.platform.rest('PUT', `/connectors/${name}/${what}`)).status).toBeLessThan(300)
      wanted.set(name, { file: had!.file, state: what === 'pause' ? 'PAUSED' : 'STOPPED' })
    }
    await f.platform.kill()
    f.platform.launch()
    // Sometimes the process is killed again during its start.
    if (rng.below(2) === 0) {
      await sleep(rng.below(400))
      await f.platform.kill()
      f.platform.launch()
    }
    await f.platform.serves()
    const names = (await f.platform.rest('GET', '/connectors')).body as string[]
    expect(names.filter(other => /^c\d$/.test(other)).sort()).toEqual([...wanted.keys()].sort())
    for (const [connector, { file: path, state }] of wanted) {
      expect((await f.platform.rest('GET', `/connectors/${connector}/config`)).body).toMatchObject({ file: path })
      await eventually(
        async () => (await f.platform.status(connector)).connector.state === state,
        () => `${connector} is not ${state} after ${what}: ${f.platform.output.slice(-2000)}`,
        20_000,
      )
    }
  }
  await otherPipeline.moves()
})
