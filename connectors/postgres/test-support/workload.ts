import pg from 'pg'
import { sleep } from '../../../core/common/async/sleep.ts'

/**
 * Changes rows of two tables at random. Each change has a higher version than the change before it.
 */
export class Workload {
  readonly #url: string
  readonly #random: () => number
  #version = 0
  #nextId = 1_000_000

  constructor(url: string, random: () => number) {
    this.#url = url
    this.#random = random
  }

  nextVersion(): number {
    return ++this.#version
  }

  async setup(db: pg.Client, rows: number): Promise<void> {
    await db.query(`create table accounts (id int primary key, name text, v int not null)`)
    await db.query(
      `create table items (order_id int, line int, what text, v int not null, primary key (order_id, line))`,
    )
    await db.query(`insert into accounts select i, 'n' || i, 0 from generate_series(1, ${rows}) i`)
    await db.query(`insert into items select i / 3, i % 3, repeat('x', i % 50), 0 from generate_series(1, ${rows}) i`)
  }

  #int(n: number): number {
    return Math.floor(this.#random() * n)
  }

  #statement(): string {
    const v = this.nextVersion()
    const id = 1 + this.#int(3000)
    switch (this.#int(9)) {
      case 0:
        return `insert into accounts values (${this.#nextId++}, 'new', ${v})`
      case 1:
        return `delete from accounts where id = ${id}`
      case 2:
        return `delete from accounts where id in (select id from accounts where id > 1000000 order by id desc limit 3)`
      case 3:
        return `update accounts set id = ${this.#nextId++}, v = ${v} where id = ${id}`
      case 4:
        return `insert into accounts values (${id}, 'back', ${v}) on conflict (id) do update set name = 'kept', v = ${v}`
      case 5:
        return `update items set what = 'w${v}', v = ${v} where order_id between ${id} and ${id + 5}`
      case 6:
        return `delete from items where order_id = ${id}`
      case 7: {
        const from = this.#nextId
        this.#nextId += 20
        // the rows of one statement can have the same WAL position
        return `insert into items select ${from}, i, 'bulk', ${v} from generate_series(1, 20) i`
      }
      default:
        return `update accounts set name = 'u${v}', v = ${v} where id = ${id}`
    }
  }

  /** Runs a number of transactions with a few statements each. Some are rolled back. */
  async run(transactions: number): Promise<void> {
    const db = new pg.Client(this.#url)
    await db.connect()
    try {
      for (let n = 0; n < transactions; n++) {
        const statements = Array.from({ length: 1 + this.#int(4) }, () => this.#statement())
        const end = this.#random() < 0.1 ? 'rollback' : 'commit'
        await db.query(`begin; ${statements.join('; ')}; ${end}`)
        if (this.#random() < 0.2) await sleep(2)
      }
    } finally {
      await db.end()
    }
  }
}
