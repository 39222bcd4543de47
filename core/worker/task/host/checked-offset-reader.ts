import type { OffsetReader } from '../../../connect/offset-reader.ts'
import type { SourcePartition } from '../../../connect/record.ts'
import { checkArgument } from '../arguments.ts'
import { errors } from '../errors.ts'
import { positionFault } from '../source/json-fault.ts'
import type { OffsetStore } from '../source/offset-store.ts'

/** Returns the `offsets` of a context. Invalid source partitions throw MR_TASK_ARGUMENT. */
export function checkedOffsetReader(store: Pick<OffsetStore, 'get'>): OffsetReader {
  return {
    offset: async partition => {
      checkPartition('offsets.offset', partition)
      return (await store.get([partition]))[0] ?? null
    },
    offsets: async partitions => {
      checkArgument(Array.isArray(partitions), 'offsets.offsets', partitions, 'a list of source partitions')
      for (const partition of partitions) checkPartition('offsets.offsets', partition)
      return store.get(partitions)
    },
  }
}

function checkPartition(method: string, partition: SourcePartition): void {
  const expected = 'a source partition, which is a JSON object'
  checkArgument(typeof partition === 'object' && partition !== null, method, partition, expected)
  const fault = positionFault({ sourcePartition: partition })
  if (fault !== null)
    throw errors.create('MR_TASK_ARGUMENT', { method, what: `an object in which ${fault},`, expected })
}
