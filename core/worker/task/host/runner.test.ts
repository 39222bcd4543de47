import { expect, test } from 'vitest'
import { reportingSlowCall } from './runner.ts'

test('the start and the end of a slow call are reported, whether the call returns or throws', async () => {
  for (const end of ['returns', 'throws']) {
    const reported: (string | null)[] = []
    const call = Promise.withResolvers<string>()
    const slow = Promise.withResolvers<void>()
    const report = (message: string | null) => {
      reported.push(message)
      slow.resolve()
    }
    const calling = reportingSlowCall('put', () => call.promise, report, 1)
    await slow.promise
    if (end === 'returns') call.resolve(end)
    else call.reject(new Error(end))
    await expect(calling.catch((error: Error) => error.message)).resolves.toBe(end)
    expect(reported).toEqual([expect.stringMatching(/^put has not returned since \d{4}-/), null])
  }
})

test('a call that returns or throws quickly is not reported', async () => {
  const reported: unknown[] = []
  expect(
    await reportingSlowCall(
      'put',
      () => 7,
      message => reported.push(message),
    ),
  ).toBe(7)
  const thrown = reportingSlowCall(
    'put',
    () => {
      throw new Error('no')
    },
    message => reported.push(message),
  )
  await expect(thrown).rejects.toThrow('no')
  expect(reported).toEqual([])
})
