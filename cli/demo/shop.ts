import pg from 'pg'
import { messageOf } from '../../core/common/errors/error-table.ts'
import type { Logger } from '../../core/common/log.ts'

const SCHEMA = `
create table if not exists customers (
  id serial primary key, name text not null, email text not null unique, city text, created_at timestamptz not null default now());
create table if not exists products (
  id serial primary key, name text not null, price numeric(10,2) not null, stock int not null default 100);
create table if not exists orders (
  id bigserial primary key, customer_id int not null references customers, product_id int not null references products,
  quantity int not null, total numeric(12,2) not null, status text not null default 'pending', note text,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now());
alter table orders replica identity full;
`
const SEED = `
insert into customers (name, email, city)
  select 'Customer ' || n, 'customer' || n || '@example.com', (array['Lyon','Porto','Kraków','Malmö','Gent','Ulm'])[1 + n % 6]
  from generate_series(1, 200) n;
insert into products (name, price) select 'Product ' || n, (n * 7 % 90) + 0.99 from generate_series(1, 40) n;
insert into orders (customer_id, product_id, quantity, total, status)
  select 1 + n % 200, 1 + n % 40, 1 + n % 5, (1 + n % 5) * (((1 + n % 40) * 7 % 90) + 0.99), (array['pending','paid','shipped','delivered'])[1 + n % 4]
  from generate_series(1, 1000) n;
`

/**
 * The changes in the shop, each with its share in percent: new orders, progress, notes,
 * cancellations.
 */
const EVENTS: readonly (readonly [number, string])[] = [
  [
    35,
    `insert into orders (customer_id, product_id, quantity, total)
     select 1 + floor(random() * 200)::int, p.id, q, q * p.price from products p, (select 1 + floor(random() * 5)::int as q) n
     order by random() limit 1`,
  ],
  [
    50,
    `update orders set updated_at = now(),
       status = case status when 'pending' then 'paid' when 'paid' then 'shipped' else 'delivered' end
     where id = (select id from orders where status <> 'delivered' order by random() limit 1)`,
  ],
  [
    10,
    "update orders set updated_at = now(), note = 'called the customer' where id = (select id from orders order by random() limit 1)",
  ],
  [5, "delete from orders where id = (select id from orders where status = 'pending' order by random() limit 1)"],
]

/** A shop whose orders change continuously. */
export interface Shop {
  /** The number of statements that have changed a row. */
  readonly changes: number
  stop(): Promise<void>
}

/** Creates the shop's tables and rows, unless they exist. */
export async function createShop(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('begin')
    await client.query(SCHEMA)
    const { rows } = await client.query<{ n: string }>('select count(*) as n from customers')
    if (rows[0]?.n === '0') await client.query(SEED)
    await client.query('commit')
  } finally {
    await client.end()
  }
}

function pick(): string {
  let at = Math.random() * 100
  for (const [weight, sql] of EVENTS) {
    if ((at -= weight) < 0) return sql
  }
  return EVENTS[0]![1]
}

/**
 * Changes an order every `everyMs` milliseconds until `stop` is called. Reconnects after a lost
 * connection.
 */
export function runShop(url: string, everyMs: number, logger: Logger): Shop {
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  pool.on('error', error => logger.warn(`the shop lost its connection: ${messageOf(error)}`))
  let changes = 0
  let running: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    running = running.then(async () => {
      try {
        const { rowCount } = await pool.query(pick())
        if (rowCount) changes++
      } catch (error) {
        logger.warn(`a change in the shop failed: ${messageOf(error)}`)
      }
    })
  }, everyMs)
  return {
    get changes() {
      return changes
    },
    async stop() {
      clearInterval(timer)
      await running
      await pool.end()
    },
  }
}
