import type { Logger } from '../../common/log.ts'
import type { Partitions } from '../partitions.ts'
import { EMPTY_IMAGE, type ImageDelta, type MetadataImage, mergeDeltas } from './image.ts'

export type ImageListener = (image: MetadataImage, previous: MetadataImage, delta: ImageDelta) => void

interface Publication {
  readonly image: MetadataImage
  readonly delta: ImageDelta
  readonly done: PromiseWithResolvers<void>
}

/**
 * Applies and publishes committed metadata. While one change is being published, later committed
 * changes wait. They are then published together. The logs of new partitions are created before the
 * image contains these partitions. The logs of removed partitions are removed after the image no
 * longer contains them.
 */
export class Publisher {
  readonly #partitions: Pick<Partitions, 'create' | 'update'>
  readonly #logger: Logger
  readonly #listeners = new Set<ImageListener>()
  #image: MetadataImage = EMPTY_IMAGE
  #waiting: Publication | null = null
  #running: Promise<void> | null = null

  constructor(partitions: Pick<Partitions, 'create' | 'update'>, logger: Logger) {
    this.#partitions = partitions
    this.#logger = logger
  }

  get image(): MetadataImage {
    return this.#image
  }

  onImage(listener: ImageListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Publishes the broker's first image. `Partitions.reconcile` creates the logs of its partitions.
   */
  begin(image: MetadataImage): void {
    this.#image = image
  }

  /** Resolves when this image, or a later one, is published and its logs exist. */
  publish(image: MetadataImage, delta: ImageDelta): Promise<void> {
    const before = this.#waiting
    this.#waiting = before
      ? { image, delta: mergeDeltas(before.delta, delta), done: before.done }
      : { image, delta, done: Promise.withResolvers() }
    const { promise } = this.#waiting.done
    this.#running ??= this.#run()
    return promise
  }

  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    for (let next = this.#waiting; next !== null; next = this.#waiting) {
      this.#waiting = null
      try {
        await this.#show(next.image, next.delta)
      } catch (error) {
        this.#logger.error('A metadata change was not fully applied', error)
      }
      next.done.resolve()
    }
    // Set synchronously when nothing waits, so that the next call of `publish` starts a new run.
    this.#running = null
  }

  async #show(next: MetadataImage, delta: ImageDelta): Promise<void> {
    const previous = this.#image
    await this.#partitions.create(previous, next, delta)
    this.#image = next
    this.#partitions.update(previous, next, delta)
    for (const listener of this.#listeners) {
      try {
        listener(next, previous, delta)
      } catch (error) {
        this.#logger.error('A listener of the metadata failed', error)
      }
    }
  }
}
