-- link_state: what a link must remember on its target, so that a crash anywhere loses nothing.
--
-- progress   one row per link: how far its source has been applied, and by whom
-- table_state, copy_chunk   the first copy of each table
-- set_aside  triggers, rules and foreign keys that do not act while a table is a replica
-- event      what happened, for people
--
-- Every table has a primary key: a publication FOR ALL TABLES on this database, of someone
-- else's, must not make our updates fail.

create table repld.progress (
  link              text primary key,
  slot_name         text not null,
  system_identifier text not null,            -- of the source
  timeline          integer not null,
  database          text not null,            -- on the source
  phase             text not null check (phase in ('setup', 'streaming')),
  lsn               pg_lsn not null,          -- end of the last applied source transaction
  owner             uuid not null,            -- changes with every session that owns the link
  owner_pid         integer not null,         -- backend that holds the owner lock
  owner_instance    text not null,            -- which installation that session belongs to
  guard_nonce       text not null,            -- value of repld.apply that the guard lets pass
  paused            boolean not null default false,
  updated_at        timestamptz not null default now()
) with (fillfactor = 50);
comment on table repld.progress is
  'One row per link: the position of its source that this database equals.';

-- First statement of every batch: moves the link from one position to the next, or raises.
-- So a batch behind a failed one, a second daemon and a dead client's leftover pipeline abort
-- here, on the server, whatever they have seen. It also marks the transaction as ours in the
-- WAL of this server, which needs no replication origin and hence no superuser.
create function repld.advance(link_name text, owner_id uuid, from_lsn pg_lsn, to_lsn pg_lsn)
returns void language plpgsql set search_path = pg_catalog as $$
begin
  update repld.progress p
     set lsn = to_lsn, updated_at = clock_timestamp()
   where p.link = link_name and p.owner = owner_id and p.lsn = from_lsn and p.phase = 'streaming';
  if not found then
    raise exception using errcode = 'RP001',
      message = format('link "%s" is not at %s in the hands of this session', link_name, from_lsn);
  end if;
  perform pg_logical_emit_message(true, 'repld', link_name);
end $$;

-- The guard: refuses every write to a replica that is not ours.
create function repld.refuse_write() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  raise exception using errcode = '25006',
    message = format('table "%s.%s" is a replica and cannot be written', tg_table_schema, tg_table_name),
    detail = format('repld keeps it equal to its source through link "%s".', tg_argv[0]),
    hint = 'Write to the source database: the table lives there until the cutover.';
end $$;

create table repld.table_state (
  link        text not null,
  schema_name text not null,
  table_name  text not null,
  state       text not null check (state in ('copying', 'copied')),
  rows        bigint not null default 0,
  bytes       bigint not null default 0,
  started_at  timestamptz not null default now(),
  copied_at   timestamptz,
  primary key (link, schema_name, table_name)
);

-- A chunk is a range of pages of one source relation (a leaf, when partitioned). Its row is
-- written in the transaction that brings its rows.
create table repld.copy_chunk (
  link        text not null,
  schema_name text not null,
  table_name  text not null,          -- the relation the pages belong to
  first_page  bigint not null,
  end_page    bigint,                 -- exclusive; null: open
  rows        bigint not null,
  bytes       bigint not null,
  copied_at   timestamptz not null default now(),
  primary key (link, schema_name, table_name, first_page)
);

create table repld.set_aside (
  link        text not null,
  kind        text not null check (kind in ('trigger', 'rule', 'foreign_key')),
  schema_name text not null,
  table_name  text not null,
  name        text not null,
  how         text not null,          -- 'disabled', 'dropped', 'validate' (back, yet to be validated)
  definition  text not null,          -- enough to restore it
  at          timestamptz not null default now(),
  primary key (link, kind, schema_name, table_name, name)
);

create table repld.event (
  id      bigint generated always as identity primary key,
  link    text not null,
  at      timestamptz not null default clock_timestamp(),
  kind    text not null,
  message text not null
);
