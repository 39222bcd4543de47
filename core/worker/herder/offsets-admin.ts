import type { Admin, TopicPartitionOffset } from '../../client/types.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import type { Props } from '../../connect/props.ts'
import type { Clients } from '../clients.ts'
import type { PluginInspector } from '../plugins/inspector.ts'
import { renderJson } from '../storage/connect-json.ts'
import { RemoteError } from '../task/failures/failure.ts'
import type { OffsetEntry } from '../task/host/messages-in.ts'
import type { Launcher } from './launcher.ts'
import { type OffsetPair, parseSinkOffsets, showSinkOffsets } from './offset-requests.ts'
import type { OffsetStores } from './offset-stores.ts'
import { badRequest, RestError } from './rest-error.ts'

export interface OffsetsAdminOptions {
  readonly stores: OffsetStores
  readonly launcher: Launcher
  readonly inspector: PluginInspector
  readonly clients: Clients
  readonly logger: Logger
}

/**
 * Shows, alters and resets the offsets of a connector (KIP-875). Before offsets are altered or
 * reset, the caller must check that the connector is STOPPED.
 */
export class OffsetsAdmin {
  readonly #o: OffsetsAdminOptions

  constructor(options: OffsetsAdminOptions) {
    this.#o = options
  }

  async show(name: string, config: Props): Promise<{ offsets: { partition: unknown; offset: unknown }[] }> {
    if (this.#o.launcher.connector(name, config).type === 'sink') {
      const found = await this.#withGroup(name, config, (admin, group) => admin.listGroupOffsets(group))
      return { offsets: showSinkOffsets(found) }
    }
    const offsets = await this.#o.stores.ofConnector(name, config)
    return { offsets: offsets.map(([partition, offset]) => ({ partition, offset })) }
  }

  /**
   * Alters offsets. A null offset resets its partition. Returns Connect's message for the answer.
   */
  async alter(name: string, config: Props, pairs: readonly OffsetPair[]): Promise<string> {
    const spec = this.#o.launcher.connector(name, config)
    if (spec.type === 'sink') {
      const wanted = parseSinkOffsets(pairs)
      await this.#withGroup(name, config, async (admin, group) => {
        const reset = wanted.filter(w => w.offset === null)
        if (reset.length > 0) await deleteOffsets(admin, group, reset)
        const set = wanted.filter((w): w is TopicPartitionOffset => w.offset !== null)
        if (set.length > 0) await admin.alterGroupOffsets(group, set)
      })
      return 'The offsets for this connector have been altered successfully'
    }
    const own = await this.#askConnector(name, config, pairs)
    await this.#o.stores.put(
      config,
      pairs.map(([partition, offset]) => [partition, offset] as const),
      name,
    )
    return own ? 'The offsets for this connector have been altered successfully' : EXTERNAL('altered')
  }

  /** Resets all offsets. Returns Connect's message for the answer. */
  async reset(name: string, config: Props): Promise<string> {
    const spec = this.#o.launcher.connector(name, config)
    if (spec.type === 'sink') {
      await this.#withGroup(name, config, deleteGroup)
      return 'The offsets for this connector have been reset successfully'
    }
    const all = await this.#o.stores.ofConnector(name, config)
    const pairs = all.map(([partition]): OffsetPair => [partition, null])
    const own = await this.#askConnector(name, config, pairs)
    await this.#o.stores.put(config, pairs, name)
    return own ? 'The offsets for this connector have been reset successfully' : EXTERNAL('reset')
  }

  async #askConnector(name: string, config: Props, pairs: readonly OffsetPair[]): Promise<boolean> {
    const { plugin, props } = this.#o.launcher.connector(name, config)
    const offsets = pairs.map(([partition, offset]): OffsetEntry => [partition ?? {}, offset])
    try {
      return await this.#o.inspector.alterOffsets({ plugin, props, offsets: renderJson(offsets) })
    } catch (error) {
      if (error instanceof RemoteError) throw badRequest(error.message)
      throw error
    }
  }

  async #withGroup<T>(name: string, config: Props, use: (admin: Admin, group: string) => Promise<T>): Promise<T> {
    const { launcher, clients, logger } = this.#o
    const { admin: props, consumer } = launcher.task(name, 0, config, {}, true)
    const admin = clients.admin(props, logger)
    const group = consumer['group.id'] ?? `connect-${name}`
    try {
      return await use(admin, group)
    } catch (cause) {
      if (cause instanceof RestError) throw cause
      throw new RestError(500, `Failed to modify offsets for sink connector ${name}: ${messageOf(cause)}`, { cause })
    } finally {
      await admin.close()
    }
  }
}

const EXTERNAL = (done: string): string =>
  `The Connect framework-managed offsets for this connector have been ${done} successfully. However, if this connector manages offsets externally, they will need to be manually ${done} in the system that the connector uses.`

/**
 * Deletes a group. GROUP_ID_NOT_FOUND means that the group has never committed an offset, and is
 * not an error.
 */
async function deleteGroup(admin: Admin, group: string): Promise<void> {
  try {
    await admin.deleteGroups([group])
  } catch (error) {
    if (!(error instanceof Error && 'kafkaCode' in error && error.kafkaCode === 69)) throw error
  }
}

/**
 * Deletes a group's offsets for some partitions. The group must have no members. The whole group is
 * deleted, and then recreated with the offsets of its other partitions.
 */
async function deleteOffsets(
  admin: Admin,
  group: string,
  deleted: readonly { readonly topic: string; readonly partition: number }[],
): Promise<void> {
  const all = await admin.listGroupOffsets(group)
  const kept = all.filter(o => !deleted.some(d => d.topic === o.topic && d.partition === o.partition))
  if (kept.length === all.length) return
  await deleteGroup(admin, group)
  if (kept.length > 0) await admin.alterGroupOffsets(group, kept)
}
