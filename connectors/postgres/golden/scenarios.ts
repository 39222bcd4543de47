/**
 * A sequence of statements that runs on a new database, once with Debezium (capture.ts) and once
 * with this connector (golden.pg.test.ts).
 */
export interface Scenario {
  readonly name: string
  /** Additional keys of the configuration, besides those of the connection and `topic.prefix`. */
  readonly config: Readonly<Record<string, string>>
  /**
   * The statements that run before the connector starts. An entry is one statement or one
   * transaction.
   */
  readonly setup: readonly string[]
  /** The statements that run after the snapshot. */
  readonly stream: readonly string[]
}

const NUMBERS = `create table numbers (id int primary key, s int2, i int4, l int8, b bool, r float4, d float8, n numeric, n52 numeric(5,2), n30 numeric(3), n3810 numeric(38,10), m money, o oid)`
const numbers = (from: number) => `insert into numbers values
  (${from}, 1, 2, 3, true, 1.5, 2.25, 123.4500, 123.45, 7, 1234567890123456789.0123456789, 1234.56, 42),
  (${from + 1}, -32768, -2147483648, -9223372036854775808, false, -3.4e38, -1.7e308, -0.00001, -999.99, -999, -0.0000000001, -92233720368547758.08, 0),
  (${from + 2}, 32767, 2147483647, 9223372036854775807, true, 'Infinity', '-Infinity', 100000000000000000000, 0, 0, 0, 0, 4294967295),
  (${from + 3}, null, null, null, null, null, null, null, null, null, null, null, null),
  (${from + 4}, 0, 0, 9007199254740993, false, 0.1, 0.1, 0, 0.5, 1, 1, 0.01, 1)`

const TEXTS = `create table texts (id int primary key, t text, v varchar(20), c char(5), ch "char", n name, by bytea, j json, jb jsonb, x xml, u uuid, e mood, cs bit(5), c1 bit, bv bit varying(20), bn bit varying, b64 bit(70), ts tsvector, tq tsquery, cst email)`
const texts = (from: number) => `insert into texts values
  (${from}, 'hällo ✓ 😀', 'v', 'ab', 'z', 'a name', '\\x00ff10', '{"a": 1.0, "b":[1, 2]}', '{"b": 12345678901234567890, "a": "x"}', '<a>b</a>', '7b7c6a3e-5f7b-4f0e-9c7c-0123456789ab', 'happy', B'10110', B'1', B'101', B'1111000011110000', B'${'1'.repeat(35)}${'0'.repeat(35)}', 'fat cat', 'fat & rat', 'a@b.c'),
  (${from + 1}, '', '', '', '', '', '', 'null', '"\\u00e9"', '', '00000000-0000-0000-0000-000000000000', 'so "sad"', B'00000', B'0', B'', B'0', B'${'0'.repeat(70)}', '', '', ''),
  (${from + 2}, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
  (${from + 3}, E'tab\\tnl\\nbs\\\\cr\\r''q''', E'\\\\N', 'x y', '\\', 'é', '\\x5c6e0a', '[]', '{}', '<x/>', null, 'sad', B'00001', B'0', B'1', B'1', B'${'1'.repeat(70)}', '''a'':1A', null, null)`

const TIMES = `create table times (id int primary key, d date, t time, t3 time(3), t0 time(0), tz timetz, ts timestamp, ts3 timestamp(3), ts0 timestamp(0), tstz timestamptz, tstz3 timestamptz(3), iv interval)`
const times = (from: number) => `insert into times values
  (${from}, '2024-02-29', '12:34:56.123456', '12:34:56.123', '12:34:56', '12:34:56.789+02', '2024-02-29 12:34:56.123456', '2024-02-29 12:34:56.123', '2024-02-29 12:34:56', '2024-02-29 12:34:56.123456+02', '2024-02-29 12:34:56.12+00', '1 year 2 months 3 days 4 hours 5 minutes 6.789 seconds'),
  (${from + 1}, '1969-12-31', '00:00:00', '23:59:59.999', '23:59:59', '00:00:00-12', '1969-12-31 23:59:59.999999', '1969-12-31 23:59:59.999', '1900-01-01 00:00:00', '1969-12-31 23:59:59.999999+00', '1883-01-01 00:00:00+00', '-1 mons -3 days -04:05:06.7'),
  (${from + 2}, null, null, null, null, null, null, null, null, null, null, null),
  (${from + 3}, '9999-12-31', '23:59:59.999999', '00:00:00.001', '00:00:01', '23:59:59.999999+05:30', '9999-12-31 23:59:59.999999', '0001-01-01 00:00:00', '2000-01-01 00:00:00', '9999-12-31 23:59:59+00', '0001-01-01 00:00:00+00', '0'),
  (${from + 4}, '0001-01-01', '24:00:00', '24:00:00', '24:00:00', '24:00:00+00', '2262-04-11 23:47:16.854775', '2300-01-01 00:00:00', '1677-09-21 00:12:44', '2024-07-01 00:00:00+00', '2024-07-01 00:00:00.5+00', '100000 hours 0.000001 seconds')`

const ARRAYS = `create table arrays (id int primary key, i2 int2[], i4 int4[], i8 int8[], bo bool[], r float4[], d float8[], n numeric[], n52 numeric(5,2)[], t text[], v varchar(5)[], c char(3)[], da date[], ti time[], ts timestamp[], tstz timestamptz[], tz timetz[], u uuid[], j json[], jb jsonb[], by bytea[], e mood[], ine inet[], mon money[], iv interval[], ol oid[])`
const arrays = (from: number) => `insert into arrays values
  (${from}, '{1,2,null}', '{1,-2}', '{9223372036854775807,null}', '{t,f,null}', '{1.5,NaN,-Infinity}', '{0.1,1e300}', '{1.10,2}', '{1.1,null}', '{a,"b c",null,"NULL","q\\"uo\\\\te","","x{y}"}', '{abc}', '{a,bc}', '{2024-02-29,null}', '{12:34:56.123456}', '{"2024-02-29 12:34:56.123456"}', '{"2024-02-29 12:34:56.123456+00"}', '{12:34:56.789+02}', '{7b7c6a3e-5f7b-4f0e-9c7c-0123456789ab}', array['{"a": 1}','[1,2]']::json[], array['{"a": 1}']::jsonb[], array['\\x00ff'::bytea,null], '{happy,sad}', '{10.0.0.1,::1/64}', '{1.23}', '{1 day}', '{1,4294967295}'),
  (${from + 1}, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'),
  (${from + 2}, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null)`

const MISC = `create table misc (id int primary key, ine inet, ci cidr, ma macaddr, ma8 macaddr8, r4 int4range, r8 int8range, rn numrange, rts tsrange, rtz tstzrange, rd daterange, p point, l line, ls lseg, bx box, pa path, po polygon, ci2 circle, qty posint, li numlist, cp addr, lsn pg_lsn, txs txid_snapshot, jp jsonpath)`
const misc = (from: number) => `insert into misc values
  (${from}, '192.168.1.1/24', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '[1,5)', '[10,20]', '(1.5,2.5]', '["2024-01-01 00:00:00","2024-02-01 00:00:00")', '["2024-01-01 00:00:00+00",)', '[2024-01-01,2024-02-01)', '(1.5,-2)', '{1,2,3}', '[(0,0),(1,1)]', '((2,2),(0,0))', '[(0,0),(1,1),(2,0)]', '((0,0),(1,1),(2,0))', '<(1,2),3>', 7, 1.25, '("x y",3)', '16/B374D848', '10:20:10,14', '$.a'),
  (${from + 1}, '::1', '2001:db8::/32', null, null, 'empty', null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null)`

const TYPES_SETUP = [
  `create type mood as enum ('sad', 'happy', 'so "sad"')`,
  `create domain email as varchar(40)`,
  `create domain posint as int check (value > 0)`,
  `create domain numlist as numeric(6,3)`,
  `create type addr as (street text, no int)`,
  NUMBERS,
  TEXTS,
  TIMES,
  ARRAYS,
  MISC,
  numbers(1),
  texts(1),
  times(1),
  arrays(1),
  misc(1),
]
const TYPES_STREAM = [numbers(11), texts(11), times(11), arrays(11), misc(11)]

const DML_SETUP = [
  `create table customers (id serial primary key, name varchar(255) not null, email text, score numeric(6,2) not null default 1.50, created timestamptz default now(), active boolean not null default true)`,
  `create table orders (customer_id int, no int, what text, price numeric(10,2) default 0, primary key (customer_id, no))`,
  `create table nokey (a int, b text)`,
  `create table fullid (id int primary key, a text, big text)`,
  `create table uniq (a int not null, b text not null, c text, unique (b, a))`,
  `create table byindex (id int primary key, code text not null, v text)`,
  `create table nothing (id int primary key, v text)`,
  `create table "Odd Näme" ("Id x" int primary key, "Va-lue" text, "1st" int)`,
  `create table empty (id int primary key)`,
  `alter table fullid replica identity full`,
  `create unique index byindex_code on byindex (code)`,
  `alter table byindex replica identity using index byindex_code`,
  `alter table nothing replica identity nothing`,
  `alter table uniq replica identity using index uniq_b_a_key`,
  `insert into customers (name, email, created) values ('Ann', 'ann@x.y', '2024-01-01 00:00:00+00'), ('Bob', null, null)`,
  `insert into orders values (1, 1, 'apple', 2.5), (1, 2, 'pear', null)`,
  `insert into nokey values (1, 'x')`,
  `insert into fullid values (1, 'a', repeat('0123456789', 20))`,
  `insert into uniq values (1, 'b', 'c')`,
  `insert into byindex values (1, 'c1', 'v')`,
  `insert into nothing values (1, 'v')`,
  `insert into "Odd Näme" values (1, 'x', 2)`,
]
const DML_STREAM = [
  `insert into customers (name, email, created) values ('Cid', 'c@x', '2024-05-05 00:00:00+00')`,
  `update customers set email = 'bob@x.y', active = false where name = 'Bob'`,
  `delete from customers where name = 'Ann'`,
  `update orders set no = 20 where no = 2`,
  `begin; insert into orders values (2, 1, 'fig', 1); update orders set price = 3 where customer_id = 2; delete from orders where customer_id = 2; commit`,
  `insert into nokey values (2, 'y')`,
  `update fullid set a = 'b' where id = 1`,
  `update fullid set id = 2 where id = 1`,
  `delete from fullid where id = 2`,
  `insert into uniq values (2, 'b', null)`,
  `delete from uniq where a = 1`,
  `update byindex set v = 'w' where id = 1`,
  `update byindex set code = 'c2' where id = 1`,
  `delete from byindex where id = 1`,
  `insert into nothing values (2, 'w')`,
  `update "Odd Näme" set "Va-lue" = 'y' where "Id x" = 1`,
  `delete from "Odd Näme" where "Id x" = 1`,
  `insert into empty values (1)`,
  `insert into customers (name) values ('null default')`,
  `update customers set id = id`,
]

/**
 * Creates a partitioned table. PARTITION_STREAM changes, attaches, detaches and empties partitions.
 */
const PARTITION_SETUP = [
  `create table regions (id int not null, at date not null, v text, primary key (id, at)) partition by range (at)`,
  `create table regions_old partition of regions for values from ('2000-01-01') to ('2020-01-01')`,
  `create table regions_new partition of regions for values from ('2020-01-01') to ('2040-01-01')`,
  `insert into regions values (1, '2010-01-01', 'a'), (2, '2030-01-01', 'b')`,
]
const PARTITION_STREAM = [
  `insert into regions values (3, '2010-01-01', 'c'), (4, '2030-01-01', 'd')`,
  `update regions set at = '2030-02-01' where id = 3`,
  `alter table regions add column n int default 7`,
  `insert into regions values (5, '2010-01-01', 'e', 1), (6, '2030-01-01', 'f', 2)`,
  `create table regions_far (n int, v text, at date not null, id int not null, primary key (id, at))`,
  `insert into regions_far values (1, 'g', '2050-01-01', 7)`,
  `alter table regions attach partition regions_far for values from ('2040-01-01') to ('2060-01-01')`,
  `insert into regions values (8, '2050-01-01', 'h', 3)`,
  `update regions set v = 'i' where id = 7`,
  `create table regions_late partition of regions for values from ('2060-01-01') to ('2080-01-01')`,
  `insert into regions values (9, '2070-01-01', 'j', 4)`,
  `alter table regions rename column v to w`,
  `insert into regions values (10, '2070-01-01', 'k', 5)`,
  `alter table regions detach partition regions_far`,
  `insert into regions_far values (2, 'l', '2050-01-01', 11)`,
  `delete from regions where id = 4`,
  `truncate regions`,
  `insert into regions values (12, '2010-01-01', 'm', 6)`,
]

const MESSAGES = [
  `begin; insert into m values (1); select pg_logical_emit_message(true, 'in', 'a'); insert into m values (2); select pg_logical_emit_message(true, 'in', '\\xff00'::bytea); commit`,
  `select pg_logical_emit_message(true, 'alone', '\\xfbff'::bytea)`,
  `select pg_logical_emit_message(false, 'out', '\\xfbff'::bytea)`,
  `begin; insert into m values (3); select pg_logical_emit_message(false, 'between', 'b'); insert into m values (4); commit`,
  `insert into m values (5)`,
]

/** Replaces 24:00, because Connect's Time cannot represent it. */
const no24 = (sql: string) => sql.replaceAll('24:00:00', '23:00:00')

export const SCENARIOS: readonly Scenario[] = [
  { name: 'types', config: {}, setup: TYPES_SETUP, stream: TYPES_STREAM },
  {
    name: 'types-string',
    config: {
      'decimal.handling.mode': 'string',
      'time.precision.mode': 'isostring',
      'binary.handling.mode': 'base64',
      'interval.handling.mode': 'string',
      'include.unknown.datatypes': 'true',
    },
    setup: TYPES_SETUP,
    stream: TYPES_STREAM,
  },
  {
    name: 'types-connect',
    config: {
      'decimal.handling.mode': 'double',
      'time.precision.mode': 'connect',
      'binary.handling.mode': 'hex',
      'table.include.list': 'public.numbers,public.times,public.texts,public.arrays',
    },
    setup: TYPES_SETUP.map(no24),
    stream: TYPES_STREAM.map(no24),
  },
  {
    name: 'times-micro',
    config: { 'time.precision.mode': 'microseconds', 'table.include.list': 'public.times,public.arrays' },
    setup: TYPES_SETUP,
    stream: [times(11)],
  },
  {
    name: 'times-nano',
    config: { 'time.precision.mode': 'nanoseconds', 'table.include.list': 'public.times' },
    setup: TYPES_SETUP.map(s =>
      s
        .replace('9999-12-31 23:59:59.999999', '2200-12-31 23:59:59.999999')
        .replace("'0001-01-01 00:00:00'", "'1700-01-01 00:00:00'")
        .replace('2300-01-01', '2200-01-01')
        .replace('1677-09-21', '1700-09-21'),
    ),
    stream: [times(11)].map(s =>
      s
        .replace('9999-12-31 23:59:59.999999', '2200-12-31 23:59:59.999999')
        .replace("'0001-01-01 00:00:00'", "'1700-01-01 00:00:00'")
        .replace('2300-01-01', '2200-01-01')
        .replace('1677-09-21', '1700-09-21'),
    ),
  },
  {
    name: 'times-adaptive-time',
    config: {
      'time.precision.mode': 'adaptive_time_microseconds',
      'binary.handling.mode': 'base64-url-safe',
      'table.include.list': 'public.times,public.texts',
    },
    setup: TYPES_SETUP,
    stream: [times(11), texts(11)],
  },
  {
    name: 'extensions',
    config: {},
    setup: [
      `create extension hstore; create extension citext; create extension ltree; create extension isn`,
      `create table ext (id int primary key, h hstore, c citext, l ltree, ca citext[], la ltree[], ha hstore[], i isbn)`,
      `insert into ext values (1, 'a=>1,b=>NULL,"c d"=>"x\\"y"', 'MiXed', 'a.b.c', '{A,b}', '{a.b,c}', array['a=>1'::hstore], '978-0-393-04002-9'), (2, '', '', '', '{}', '{}', '{}', null), (3, null, null, null, null, null, null, null)`,
    ],
    stream: [
      `insert into ext values (11, 'a=>1,b=>NULL,"c d"=>"x\\"y"', 'MiXed', 'a.b.c', '{A,b}', '{a.b,c}', array['a=>1'::hstore], '978-0-393-04002-9'), (12, '', '', '', '{}', '{}', '{}', null), (13, null, null, null, null, null, null, null)`,
    ],
  },
  {
    name: 'extensions-map',
    config: { 'hstore.handling.mode': 'map' },
    setup: [
      `create extension hstore`,
      `create table ext (id int primary key, h hstore, hn hstore not null default '')`,
      `insert into ext values (1, 'a=>1,b=>NULL,"c d"=>"x\\"y"', 'k=>v'), (2, null, '')`,
    ],
    stream: [`insert into ext values (11, 'a=>1,b=>NULL,"c d"=>"x\\"y"', 'k=>v'), (12, null, '')`],
  },
  {
    name: 'far-dates',
    config: {},
    setup: [
      `create table far (id int primary key, d date, ts timestamp, ts3 timestamp(3), tz timestamptz)`,
      `insert into far values (1, 'infinity', 'infinity', 'infinity', 'infinity'), (2, '-infinity', '-infinity', '-infinity', '-infinity'), (3, '0044-03-15 BC', '0044-03-15 12:00:00 BC', '0044-03-15 12:00:00 BC', '0044-03-15 12:00:00+00 BC'), (4, '12345-01-01', '12345-01-01 00:00:00', '12345-01-01 00:00:00', '12345-01-01 00:00:00+00')`,
    ],
    stream: [
      `insert into far values (11, 'infinity', 'infinity', 'infinity', 'infinity'), (12, '-infinity', '-infinity', '-infinity', '-infinity'), (13, '0044-03-15 BC', '0044-03-15 12:00:00 BC', '0044-03-15 12:00:00 BC', '0044-03-15 12:00:00+00 BC'), (14, '12345-01-01', '12345-01-01 00:00:00', '12345-01-01 00:00:00', '12345-01-01 00:00:00+00')`,
    ],
  },
  {
    name: 'keys',
    config: { 'decimal.handling.mode': 'string' },
    setup: [
      `create table uqnull (a int unique, b int)`,
      `create table uqtwo (z int not null unique, b int not null unique, c int)`,
      `create table uqexpr (t text not null, n int not null)`,
      `create unique index uqexpr_lower on uqexpr (lower(t))`,
      `create table uqpart (t text not null, n int not null)`,
      `create unique index uqpart_some on uqpart (t) where n > 0`,
      `create table nokeyfull (a int, b text)`,
      `alter table nokeyfull replica identity full`,
      `create table gen (id int generated always as identity primary key, n numeric not null, s text)`,
      `comment on column gen.s is 'says it''s "s"'`,
      `create table parts (id int not null, at date not null, primary key (id, at)) partition by range (at)`,
      `create table parts_old partition of parts for values from ('2000-01-01') to ('2020-01-01')`,
      `create table parts_new partition of parts for values from ('2020-01-01') to ('2040-01-01')`,
      `create view seen as select * from gen`,
      `create materialized view kept as select * from gen`,
      `insert into uqnull values (1, 1), (null, 2)`,
      `insert into uqtwo values (1, 2, 3)`,
      `insert into uqexpr values ('T', 1)`,
      `insert into uqpart values ('T', 1)`,
      `insert into nokeyfull values (1, 'x'), (1, 'x')`,
      `insert into gen (n, s) values ('NaN', 'a'), ('Infinity', 'b'), (1.50, null)`,
      `insert into parts values (1, '2010-01-01'), (2, '2030-01-01')`,
    ],
    stream: [
      `insert into uqnull values (2, 1), (null, 3)`,
      `insert into uqtwo values (11, 12, 13)`,
      `insert into uqexpr values ('U', 1)`,
      `insert into uqpart values ('U', 1)`,
      `update nokeyfull set b = 'y'`,
      `delete from nokeyfull`,
      `insert into gen (n, s) values ('NaN', 'a'), ('-Infinity', 'b'), (1.50, null)`,
      `delete from gen where id = 1`,
      `insert into parts values (3, '2010-01-01'), (4, '2030-01-01')`,
    ],
  },
  {
    name: 'markers',
    config: { 'heartbeat.interval.ms': '2000' },
    setup: [
      `create table a0 (id int primary key)`,
      `create table b1 (id int primary key)`,
      `create table c3 (id int primary key, n numeric)`,
      `create table z0 (id int primary key)`,
      `insert into b1 values (1)`,
      `insert into c3 values (1, 'NaN'), (2, 1e10), (3, 0.00)`,
    ],
    stream: [`insert into z0 values (1)`, `insert into c3 values (11, 'NaN'), (12, 1e10), (13, 0.00)`],
  },
  { name: 'dml', config: {}, setup: DML_SETUP, stream: DML_STREAM },
  {
    name: 'dml-options',
    config: {
      'tombstones.on.delete': 'false',
      'skipped.operations': 'none',
      'provide.transaction.metadata': 'true',
      'schema.name.adjustment.mode': 'avro',
      'field.name.adjustment.mode': 'avro',
      'message.key.columns': 'public.nokey:a;public.orders:no',
      'column.exclude.list': 'public.customers.email',
      'column.mask.with.5.chars': 'public.fullid.a',
      'column.truncate.to.4.chars': 'public.fullid.big',
      'column.mask.hash.v2.SHA-256.with.salt.abc': 'public.customers.name',
      'table.exclude.list': 'public.empty,public.uniq',
      'column.propagate.source.type': 'public.orders.*',
    },
    setup: DML_SETUP,
    stream: [...DML_STREAM, `truncate nokey, fullid`],
  },
  {
    name: 'toast',
    config: {},
    setup: [
      `create table toast (id int primary key, n int, t text, nt text not null, b bytea, j jsonb, ta text[], ia int[], v varchar, x xml, h hmm)`.replace(
        ', h hmm',
        '',
      ),
      `alter table toast alter t set storage external, alter nt set storage external, alter b set storage external, alter j set storage external, alter ta set storage external, alter ia set storage external, alter v set storage external, alter x set storage external`,
      `insert into toast select 1, 1, repeat('t', 3000), repeat('n', 3000), decode(repeat('ab', 3000), 'hex'), to_jsonb(repeat('j', 3000)), array[repeat('a', 3000)], array_agg(i), repeat('v', 3000), ('<a>' || repeat('x', 3000) || '</a>')::xml from generate_series(1, 1000) i`,
    ],
    stream: [`update toast set n = 2`, `update toast set t = 'small'`, `update toast set id = 2`, `delete from toast`],
  },
  {
    name: 'defaults',
    config: {},
    setup: [
      `create type colour as enum ('red', 'green')`,
      `create schema other`,
      `create type other.size as enum ('s', 'm')`,
      `create table defaults (id int primary key, i int default 7, ni int not null default -7, l bigint default 9223372036854775807, s smallint default 3, t text default 'it''s', v varchar(10) default 'abc', c char(3) default 'x', n numeric(6,3) default 1.5, nn numeric default 12.340, f float8 default 1.25, r float4 default 0.1, b bool default true, nb bool not null default false, d date default '2024-02-29', nd date default current_date, t1 time default '12:34:56', ts timestamp default '2024-02-29 12:34:56.123456', tsn timestamp not null default now(), tz timestamptz default '2024-02-29 12:34:56+00', u uuid default '7b7c6a3e-5f7b-4f0e-9c7c-0123456789ab', ug uuid default gen_random_uuid(), j json default '{"a":1}', jb jsonb default '{}', e colour default 'green', oe other.size default 's', bt bit(3) default B'101', b1 bit default B'1', vb varbit(8) default B'110', iv interval default '1 day', by bytea default '\\x01', a int[] default '{1,2}', x xml default '<a/>', m money default 1.5, ser serial, calc int default 1 + 2, nul text default null, nulc text default null::text, inet1 inet default '1.2.3.4', num0 numeric(5) default 3)`,
      `insert into defaults (id, ser) values (1, 1)`,
      `insert into defaults (id, ser, i, t, n, f, b, d, e, j, u, l) values (2, 1, null, null, null, null, null, null, null, null, null, null)`,
    ],
    stream: [
      `insert into defaults (id, ser, nd, tsn, ug) values (11, 1, null, '2024-01-01', null)`,
      `insert into defaults (id, ser, nd, tsn, ug, i, t, n, f, b, d, e, j, u, l) values (12, 1, null, '2024-01-01', null, null, null, null, null, null, null, null, null, null, null)`,
    ],
  },
  {
    name: 'schema-change',
    config: { 'snapshot.mode': 'no_data', 'heartbeat.interval.ms': '0' },
    setup: [`create table evolving (id int primary key, a text)`, `insert into evolving values (0, 'old')`],
    stream: [
      `insert into evolving values (1, 'a')`,
      `alter table evolving add column b int default 5; insert into evolving values (2, 'b', 6)`,
      `alter table evolving drop column a; insert into evolving values (3, 7)`,
      `alter table evolving rename column b to c; insert into evolving values (4, 8)`,
      `alter table evolving alter column c type text using c::text; insert into evolving values (5, 'nine')`,
      `create table born (id int primary key, v text); insert into born values (1, 'new')`,
      `select pg_logical_emit_message(true, 'pre', 'hello')`,
      `select pg_logical_emit_message(false, 'pre', 'world')`,
      `insert into born values (2, 'end')`,
    ],
  },
  {
    name: 'messages',
    config: { 'provide.transaction.metadata': 'true', 'binary.handling.mode': 'hex' },
    setup: [`create table m (id int primary key)`, `insert into m values (0)`],
    stream: MESSAGES,
  },
  {
    name: 'messages-base64',
    config: { 'binary.handling.mode': 'base64-url-safe', 'schema.name.adjustment.mode': 'avro' },
    setup: [`create table m (id int primary key)`, `insert into m values (0)`],
    stream: MESSAGES,
  },
  { name: 'partitions', config: { 'skipped.operations': 'none' }, setup: PARTITION_SETUP, stream: PARTITION_STREAM },
  {
    name: 'partitions-root',
    config: { 'skipped.operations': 'none', 'publish.via.partition.root': 'true' },
    setup: PARTITION_SETUP,
    stream: PARTITION_STREAM,
  },
]
