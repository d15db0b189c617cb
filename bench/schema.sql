-- What the three parts write to, besides pgbench's own tables. Run on source and targets alike.

-- pgbench_history has no key. It gets one: with REPLICA IDENTITY FULL instead, neither side would
-- do more for an INSERT, but a key is what a table that one replicates should have.
alter table pgbench_history add column id bigserial primary key;

create table bench_rows (
  id bigserial primary key,
  account integer not null,
  amount numeric(10, 2) not null,
  note text not null,
  at timestamptz not null
);

create table bench_beats (
  id bigserial primary key,
  note text not null
);

-- A row here is committed last. Once a target shows it, the target has everything before it.
create table bench_marks (id bigint primary key);
