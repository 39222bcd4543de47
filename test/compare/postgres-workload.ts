/**
 * The database that both connectors capture: the common column types, all kinds of changes, and
 * rows that are too long for a page.
 */

export const DDL: readonly string[] = [
  `create type mood as enum ('sad', 'ok', 'happy')`,
  `create table types (
    id serial primary key,
    s int2, i int4 not null default 7, l int8, b bool default true, r float4, d float8,
    n numeric(10,2) default 1.50, nn numeric(38,10), any_n numeric, m money,
    t text, v varchar(20) default 'def', c char(5), by bytea, j json, jb jsonb, x xml, u uuid, e mood default 'ok',
    d1 date, t1 time(3), t6 time, tz timetz, ts timestamp, ts3 timestamp(3), tstz timestamptz, iv interval,
    bit1 bit, bits bit(5), ine inet, ci cidr, ma macaddr, r4 int4range, p point)`,
  'create table arrays (id int primary key, i4 int4[], i8 int8[], t text[], n numeric(5,2)[], b bool[], d date[], ts timestamp[], u uuid[], j jsonb[])',
  `create table people (id int primary key, name varchar(255) not null, email text, active boolean not null default true)`,
  'create table orders (customer int, no int, what text, price numeric(10,2), primary key (customer, no))',
  'create table nokey (a int, b text)',
  'create table whole (id int primary key, a text, big text)',
  'alter table whole replica identity full',
  'create table toast (id int primary key, small text, big text, bytes bytea)',
  'create table emptied (id int primary key, v text)',
  'create table "Odd Näme" ("Id x" int primary key, "Va-lue" text)',
  'create table marker (id int primary key)',
]

// Random text cannot be compressed, so Postgres stores it outside of the row (TOAST).
const LONG = `(select string_agg(md5(i::text), '') from generate_series(1, 400) i)`

const typesRow = (shift: number) => `insert into types
  (s, i, l, b, r, d, n, nn, any_n, m, t, v, c, by, j, jb, x, u, e, d1, t1, t6, tz, ts, ts3, tstz, iv, bit1, bits, ine, ci, ma, r4, p) values
  (${shift}, -2147483648, 9223372036854775807, true, 1.5, 2.25, 123.45, 1234567890123456789.0123456789, 123.4500, 1234.56, 'größe ✓ 😀 "q" \\ ', 'v', 'ab',
   '\\x00ff10', '{"a": 1.0, "b":[1, 2]}', '{"b": 12345678901234567890}', '<a>b</a>', '7b7c6a3e-5f7b-4f0e-9c7c-0123456789ab', 'happy',
   '2024-02-29', '12:34:56.123', '12:34:56.123456', '12:34:56.789+02', '2024-02-29 12:34:56.123456', '2024-02-29 12:34:56.123', '2024-02-29 12:34:56.123456+02',
   '1 year 2 months 3 days 4 hours 5 minutes 6.789 seconds', B'1', B'10110', '192.168.1.1/24', '10.0.0.0/8', '08:00:2b:01:02:03', '[1,5)', '(1.5,-2)'),
  (-32768, 0, -9223372036854775808, false, 'NaN', '-Infinity', -0.01, 0, 0, -0.05, '', '', '', '', 'null', '[]', '', '00000000-0000-0000-0000-000000000000', 'sad',
   '1969-12-31', '00:00:00', '23:59:59.999999', '00:00:00-12', '1969-12-31 23:59:59.999999', '1969-12-31 23:59:59.999', '1969-12-31 23:59:59.999999+00',
   '-1 mons -3 days -04:05:06.7', B'0', B'00000', '::1', '2001:db8::/32', 'ff:ff:ff:ff:ff:ff', 'empty', '(0,0)'),
  (null, 1, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null)`
const defaultsRow = 'insert into types default values'
const arraysRow = (from: number) => `insert into arrays values
  (${from}, '{1,-2,null}', '{9223372036854775807,null}', '{a,"b c",null,"NULL","q\\"uo\\\\te","","x{y}"}', '{1.1,null}', '{t,f,null}', '{2024-02-29,null}',
   '{"2024-02-29 12:34:56.123456"}', '{7b7c6a3e-5f7b-4f0e-9c7c-0123456789ab}', array['{"a": 1}']::jsonb[]),
  (${from + 1}, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'),
  (${from + 2}, null, null, null, null, null, null, null, null, null)`

export const ROWS: readonly string[] = [
  typesRow(1),
  defaultsRow,
  arraysRow(1),
  `insert into people values (1, 'Ann', 'ann@x.y', true), (2, 'Bob', null, false), (3, 'Cäcilie "C" 😀', 'c@x.y', true)`,
  `insert into orders values (1, 1, 'apple', 2.5), (1, 2, null, null), (2, 1, 'fig', 0)`,
  `insert into nokey values (1, 'x'), (null, null)`,
  `insert into whole values (1, 'a', 'b'), (2, 'a', ${LONG})`,
  `insert into toast values (1, 'a', ${LONG}, ${LONG}::bytea), (2, 'b', null, null)`,
  `insert into emptied values (1, 'a'), (2, 'b')`,
  `insert into "Odd Näme" values (1, 'x')`,
  'insert into marker values (1)',
]

/** The number of rows of each table after the setup. */
export const TABLES: ReadonlyMap<string, number> = new Map([
  ['types', 4],
  ['arrays', 3],
  ['people', 3],
  ['orders', 3],
  ['nokey', 2],
  ['whole', 2],
  ['toast', 2],
  ['emptied', 2],
  ['Odd Näme', 1],
  ['marker', 1],
])

export const DML: readonly string[] = [
  typesRow(2),
  defaultsRow,
  `update types set t = 'changed', n = null where id = 1`,
  'delete from types where id = 2',
  arraysRow(11),
  'update arrays set i4 = null where id = 1',
  `insert into people values (4, 'Dan', 'dan@x.y')`,
  `update people set email = 'bob@x.y', active = true where id = 2`,
  'delete from people where id = 1',
  'update people set id = 30 where id = 3',
  'update people set name = name',
  'update orders set no = 20 where no = 2',
  `begin; insert into orders values (3, 1, 'pear', 1); update orders set price = 3 where customer = 3; delete from orders where customer = 3; commit`,
  'begin; insert into orders values (4, 1, null, 1); rollback',
  `insert into nokey values (2, 'y')`,
  `update whole set a = 'z' where id = 2`,
  'update whole set id = 20 where id = 2',
  'delete from whole where id = 1',
  `update toast set small = 'c' where id = 1`,
  `update toast set big = ${LONG}, bytes = null where id = 2`,
  `update toast set small = 'd' where id = 2`,
  'delete from toast where id = 1',
  'truncate emptied',
  `insert into emptied values (3, 'c')`,
  `update "Odd Näme" set "Va-lue" = 'y'`,
  `delete from "Odd Näme"`,
]

/** The last statement of the workload. Its record marks the end of the stream. */
export const MARKER = 'insert into marker values (2)'
