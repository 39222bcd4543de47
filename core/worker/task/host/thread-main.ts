import { getHeapStatistics } from 'node:v8'
import { parentPort, workerData } from 'node:worker_threads'
import { setLogLevel, setLogSink } from '../../../common/log.ts'
import { errors } from '../errors.ts'
import { failureOf, RemoteError } from '../failures/failure.ts'
import { redact } from '../failures/redact.ts'
import { ConnectorUnit } from './connector-unit.ts'
import { collectGarbage } from './garbage.ts'
import type { CallReply, MessageIn, RequestMessage, ThreadData } from './messages-in.ts'
import type { MessageOut } from './messages-out.ts'
import { alterOffsets, inspectPlugin, validatePlugin } from './plugin-info.ts'
import { hookPluginApi } from './plugin-loader.ts'
import { logProcessOutput } from './process-output.ts'
import type { Unit, Uplink } from './unit.ts'

/** The interval at which a thread checks its memory, ms. */
const MEMORY_INTERVAL_MS = 5000
/** The interval at which a thread's event loop increments its pulse, ms. */
const PULSE_MS = 250

const port = parentPort
if (!port) throw new Error('thread-main.ts must run in a worker thread')
const data = workerData as ThreadData
const units = new Map<string, Unit>()
const starting = new Map<string, Promise<void>>()
const calls = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
let nextCall = 1
let loopUse = performance.eventLoopUtilization()

const send = (message: MessageOut): void => port.postMessage(message)

const uplink: Uplink = {
  event(event) {
    if (event.type === 'failed' || event.type === 'stopped') units.delete(event.unit)
    send({ type: 'event', event })
  },
  call(unit, call) {
    const id = nextCall++
    return new Promise((resolve, reject) => {
      calls.set(id, { resolve, reject })
      send({ type: 'call', id, unit, call })
    })
  },
}

function settle(reply: CallReply): void {
  const call = calls.get(reply.id)
  calls.delete(reply.id)
  if (reply.error) call?.reject(new RemoteError({ ...reply.error, trace: reply.error.message }))
  else call?.resolve(reply.value)
}

function unitOf(name: string): Unit {
  const unit = units.get(name)
  if (!unit) throw errors.create('MR_TASK_UNKNOWN_UNIT', { unit: name })
  return unit
}

async function stopUnit(name: string): Promise<null> {
  await starting.get(name)?.catch(() => undefined)
  const unit = units.get(name)
  if (!unit) return null
  try {
    await unit.stop()
    // A unit that fails while it is stopping has sent `failed`, and is no longer in `units`.
    if (units.get(name) === unit) uplink.event({ type: 'stopped', unit: name })
  } catch (error) {
    uplink.event({ type: 'failed', unit: name, failure: failureOf(error) })
  }
  return null
}

async function startConnector(ask: Extract<RequestMessage, { name: 'start-connector' }>['ask']): Promise<null> {
  const run = async () => {
    try {
      units.set(ask.unit, await ConnectorUnit.start(ask.unit, ask.spec, uplink))
    } catch (error) {
      uplink.event({ type: 'failed', unit: ask.unit, failure: failureOf(error) })
      throw error
    }
  }
  const started = run()
  starting.set(ask.unit, started)
  await started.finally(() => starting.delete(ask.unit))
  uplink.event({ type: 'started', unit: ask.unit, paused: false })
  return null
}

async function startTask(ask: Extract<RequestMessage, { name: 'start-task' }>['ask']): Promise<null> {
  try {
    // The clients are imported with the first task, because a thread without tasks does not need
    // them.
    const { TaskUnit } = await import('./task-unit.ts')
    units.set(ask.unit, TaskUnit.start(ask.unit, ask.spec, uplink))
  } catch (error) {
    // The herder waits for a `started` or `failed` event. Without this event, the task would never
    // leave its starting phase.
    uplink.event({ type: 'failed', unit: ask.unit, failure: failureOf(error) })
    throw error
  }
  return null
}

async function answer(request: RequestMessage): Promise<unknown> {
  switch (request.name) {
    case 'inspect':
      return inspectPlugin(request.ask.plugin)
    case 'validate':
      return validatePlugin(request.ask)
    case 'alter-offsets':
      return alterOffsets(request.ask, request.ask.offsets)
    case 'start-connector':
      return startConnector(request.ask)
    case 'task-configs': {
      const unit = unitOf(request.ask.unit)
      return unit instanceof ConnectorUnit ? unit.taskConfigs(request.ask.maxTasks) : []
    }
    case 'start-task':
      return startTask(request.ask)
    case 'pause':
      await unitOf(request.ask.unit).pause()
      return null
    case 'resume':
      await unitOf(request.ask.unit).resume()
      return null
    case 'stop':
      return stopUnit(request.ask.unit)
    case 'log-level':
      setLogLevel(request.ask.logger, request.ask.level)
      return null
    case 'exit':
      await Promise.all([...units.keys()].map(stopUnit))
      return null
  }
}

async function handle(request: RequestMessage): Promise<void> {
  try {
    const value = await answer(request)
    send({ type: 'answer', id: request.id, value } as MessageOut)
  } catch (error) {
    send({ type: 'reject', id: request.id, failure: failureOf(error) })
  }
  if (request.name === 'exit') {
    clearInterval(memoryTimer)
    port?.close()
    // Plugins may have left timers or sockets open. All units have stopped, so no data is lost.
    setImmediate(() => process.exit(0))
  }
}

/**
 * Ends the thread if its Buffers exceed the limit. `resourceLimits` cannot limit Buffers, because
 * they are not in the heap.
 */
function watchMemory(): void {
  let memory = process.memoryUsage()
  if (data.maxExternalBytes > 0 && memory.external > data.maxExternalBytes) {
    collectGarbage()
    memory = process.memoryUsage()
    if (memory.external > data.maxExternalBytes) {
      const mb = (bytes: number) => Math.round(bytes / 1024 / 1024)
      const params = { thread: data.name, held: mb(memory.external), limit: mb(data.maxExternalBytes) }
      throw errors.create('MR_TASK_EXTERNAL_MEMORY', params)
    }
  }
  const { heapUsed, external } = memory
  const heapLimit = getHeapStatistics().heap_size_limit
  const utilization = performance.eventLoopUtilization(loopUse).utilization
  loopUse = performance.eventLoopUtilization()
  send({ type: 'event', event: { type: 'memory', heapUsed, heapLimit, external, utilization } })
}

for (const [logger, level] of data.logLevels) setLogLevel(logger, level)
setLogSink(entry => {
  const { message, error } = entry
  const hidden = error && { ...error, message: redact(error.message), stack: redact(error.stack) }
  send({ type: 'log', entry: { ...entry, message: redact(message), error: hidden } })
})
logProcessOutput()
hookPluginApi()
const pulse = new Int32Array(data.pulse)
// The first increment shows the host that the thread has been loaded. From now on, the host detects
// a blocked event loop.
Atomics.add(pulse, 0, 1)
setInterval(() => Atomics.add(pulse, 0, 1), PULSE_MS).unref()
const memoryTimer = setInterval(watchMemory, MEMORY_INTERVAL_MS)
port.on('message', (message: MessageIn) => {
  if (message.type === 'reply') settle(message)
  else void handle(message)
})
