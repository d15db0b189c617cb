-- verification: what comparisons at a fence came to, per table, the newest last.
--
-- unproven  why nothing was proven and the counts say nothing; null: proven. No values of rows.

create table repld.verification (
  id          bigint generated always as identity primary key,
  link        text not null,
  schema_name text not null,
  table_name  text not null,
  at          timestamptz not null default now(),
  rows        bigint not null,          -- on the source
  target_rows bigint not null,
  missing     bigint not null,          -- on the source only
  extra       bigint not null,          -- on the target only
  different   bigint not null,
  unproven    text,
  seconds     double precision not null
);
create index on repld.verification (link, schema_name, table_name, id desc);
