import { expect, test } from 'vitest'
import { tellingSlow } from './runner.ts'

test('a call that does not return is told of, and that it has in the end, in whatever way', async () => {
  for (const end of ['well', 'badly']) {
    const told: (string | null)[] = []
    const call = Promise.withResolvers<string>()
    const heard = Promise.withResolvers<void>()
    const tell = (message: string | null) => {
      told.push(message)
      heard.resolve()
    }
    const calling = tellingSlow('put', () => call.promise, tell, 1)
    await heard.promise
    if (end === 'well') call.resolve(end)
    else call.reject(new Error(end))
    await expect(calling.catch((error: Error) => error.message)).resolves.toBe(end)
    expect(told).toEqual([expect.stringMatching(/^put has not returned since \d{4}-/), null])
  }
})

test('one that returns, or throws at once, is not worth a word', async () => {
  const told: unknown[] = []
  expect(
    await tellingSlow(
      'put',
      () => 7,
      message => told.push(message),
    ),
  ).toBe(7)
  const thrown = tellingSlow(
    'put',
    () => {
      throw new Error('no')
    },
    message => told.push(message),
  )
  await expect(thrown).rejects.toThrow('no')
  expect(told).toEqual([])
})
