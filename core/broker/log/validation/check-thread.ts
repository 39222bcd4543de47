/** The module that runs in the threads of `CheckPool`. Checks the batches of each request. */
import { parentPort } from 'node:worker_threads'
import { type CheckAnswer, type CheckRequest, READY } from './check-messages.ts'
import { checkRecords } from './check-records.ts'

parentPort!.on('message', ({ jobs }: CheckRequest) => {
  const verdicts = jobs.map(({ memory, length, rules }) => checkRecords(Buffer.from(memory, 0, length), rules))
  const answer: CheckAnswer = { verdicts }
  const moved = verdicts.flatMap(v => (v.kind === 'rewritten' ? [v.bytes.buffer as ArrayBuffer] : []))
  parentPort!.postMessage(answer, moved)
})
parentPort!.postMessage(READY)
