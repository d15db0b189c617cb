-- cutover: which side is written, and what a cutover must leave behind at every step.
--
-- On both databases of a link. A route and the guards of the same database change in one
-- transaction, so each database knows by itself whether its tables may be written.
--
-- route    one row per group. No row: the primary is as the configuration says, generation 0. Of
--          two databases that differ, the higher generation is true
-- cutover  one row per cutover, on both databases, of the same id. On the old primary its state
--          is the commit point: 'begun' there means that nothing has moved, whatever has been
--          prepared; from 'committed' there on it only goes forward
-- open_group     lifts a link's guard from tables and puts back what it had set aside of them
-- refuse_write   says where the table lives: its second argument, where the guard has one

create table repld.route (
  link         text not null,          -- of the configuration, for both directions
  group_name   text not null,
  primary_side text not null check (primary_side in ('source', 'target')),
  generation   bigint not null,        -- one more with every cutover
  changed_at   timestamptz not null default now(),
  primary key (link, group_name)
);
grant usage on schema repld to public;
grant select on repld.route to public;

create table repld.cutover (
  id         uuid primary key,
  link       text not null,
  group_name text not null,
  to_side    text not null check (to_side in ('source', 'target')),  -- the new primary
  generation bigint not null,          -- of the route, once committed
  state      text not null check (state in ('begun', 'committed', 'done', 'withdrawn')),
  tables     jsonb not null,           -- of the group: [["schema", "name"], ...]
  max_freeze_ms bigint not null,
  reverse    boolean not null,         -- a link brings what is written on the new primary home
  begun_at   timestamptz not null default clock_timestamp(),
  changed_at timestamptz not null default clock_timestamp()
);
create unique index on repld.cutover (link, group_name) where state in ('begun', 'committed');

create or replace function repld.refuse_write() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
  raise exception using errcode = '25006',
    message = format('table "%s.%s" is a replica and cannot be written', tg_table_schema, tg_table_name),
    detail = format('repld keeps it equal to its primary through link "%s".', tg_argv[0]),
    hint = case coalesce(tg_argv[1], '')
             when '' then 'Write to the source database: the table lives there until the cutover.'
             else format('Write to the %s database: the table lives there.', tg_argv[1]) end;
end $$;

-- In the caller's transaction, and in one round trip: writers wait for it. Nothing here reads a
-- table's rows. Foreign keys come back NOT VALID; left aside for later are those that must be
-- validated at once, of partitioned tables before 18. The guard stays, disabled: dropping it would
-- wait for readers. Returns what cannot come back, because it is gone or fits no longer.
create function repld.open_group(of_link text, schemas text[], names text[])
returns setof text language plpgsql set search_path = pg_catalog as $$
declare
  relations oid[] := array(
    select distinct p.relid
      from unnest(schemas, names) g(schema_name, table_name)
      join pg_namespace n on n.nspname = g.schema_name
      join pg_class c on c.relnamespace = n.oid and c.relname = g.table_name
     cross join lateral (select c.oid as relid union select relid from pg_partition_tree(c.oid)) p);
  entry record;
  clone record;
  how text;
  problem text;
begin
  for entry in
    select t.tgrelid::regclass as relation, t.tgname
      from pg_trigger t
     where t.tgrelid = any (relations) and t.tgenabled <> 'D'
       and t.tgfoid = 'repld.refuse_write()'::regprocedure
       and split_part(encode(t.tgargs, 'escape'), '\000', 1) = of_link
  loop
    execute format('alter table only %s disable trigger %I', entry.relation, entry.tgname);
  end loop;

  for entry in
    select s.kind, s.schema_name, s.table_name, s.name, s.definition, c.oid::regclass as relation,
           t.oid as trigger_oid, r.oid as rule_oid
      from repld.set_aside s
      join pg_namespace n on n.nspname = s.schema_name
      join pg_class c on c.relnamespace = n.oid and c.relname = s.table_name
      left join pg_trigger t on s.kind = 'trigger' and t.tgrelid = c.oid and t.tgname = s.name
      left join pg_rewrite r on s.kind = 'rule' and r.ev_class = c.oid and r.rulename = s.name
     where s.link = of_link and s.kind in ('trigger', 'rule') and c.oid = any (relations)
       and not (s.kind = 'trigger' and s.definition = 'D')
     order by (select count(*) from pg_partition_ancestors(c.oid)), s.name
  loop
    how := case entry.definition when 'A' then 'enable always' when 'R' then 'enable replica'
                                 else 'enable' end;
    if coalesce(entry.trigger_oid, entry.rule_oid) is null then
      return next format('%s "%s" of "%s.%s" is gone', entry.kind, entry.name, entry.schema_name,
                         entry.table_name);
    else
      execute format('alter table only %s %s %s %I', entry.relation, how, entry.kind, entry.name);
      -- Of partitions that were made meanwhile, disabled from birth.
      for clone in
        with recursive below as (
          select t.oid, t.tgrelid, t.tgname from pg_trigger t where t.tgparentid = entry.trigger_oid
          union all
          select t.oid, t.tgrelid, t.tgname from below b join pg_trigger t on t.tgparentid = b.oid
        )
        select b.tgrelid::regclass as relation, b.tgname
          from below b
          join pg_trigger t on t.oid = b.oid and t.tgenabled = 'D'
          join pg_class c on c.oid = b.tgrelid
          join pg_namespace n on n.oid = c.relnamespace
         where not exists (select from repld.set_aside s
                            where s.link = of_link and s.kind = 'trigger' and s.name = b.tgname
                              and s.schema_name = n.nspname and s.table_name = c.relname)
      loop
        execute format('alter table only %s %s trigger %I', clone.relation, how, clone.tgname);
      end loop;
    end if;
    delete from repld.set_aside s
     where (s.link, s.kind, s.schema_name, s.table_name, s.name)
         = (of_link, entry.kind, entry.schema_name, entry.table_name, entry.name);
  end loop;
  -- Those that stood disabled by themselves were only kept from their root's.
  delete from repld.set_aside s
   using pg_class c join pg_namespace n on n.oid = c.relnamespace
   where s.link = of_link and s.kind = 'trigger' and s.definition = 'D'
     and (n.nspname, c.relname) = (s.schema_name, s.table_name) and c.oid = any (relations);

  for entry in
    select s.schema_name, s.table_name, s.name,
           regexp_replace(s.definition, ' NOT VALID$', '') as plain,
           s.definition ~ ' NOT VALID$' as stays, c.oid as relation, c.relkind,
           exists (select from pg_constraint k where k.conrelid = c.oid and k.conname = s.name)
             as stands
      from repld.set_aside s
      left join pg_namespace n on n.nspname = s.schema_name
      left join pg_class c on c.relnamespace = n.oid and c.relname = s.table_name
     where s.link = of_link and s.kind = 'foreign_key' and s.how = 'dropped'
       and (c.oid = any (relations)
            or exists (select from pg_class rc join pg_namespace rn on rn.oid = rc.relnamespace
                        where rc.oid = any (relations)
                          and position(format('REFERENCES %I.%I(', rn.nspname, rc.relname)
                                       in s.definition) > 0))
  loop
    continue when entry.relkind = 'p' and current_setting('server_version_num')::int < 180000;
    problem := case when entry.relation is null then 'its table is gone'
                    when entry.stands then 'it was added meanwhile and is left as it is' end;
    if problem is null then
      begin
        execute format('alter table %s add constraint %I %s not valid', entry.relation::regclass,
                       entry.name, entry.plain);
      exception when others then
        -- What may pass, or may be mended, is not for here: the group stays closed.
        if sqlstate ~ '^(40|53|54|55|57|58|XX)' or sqlstate = '42501' then
          raise;
        end if;
        problem := format('SQLSTATE %s', sqlstate);
      end;
    end if;
    if problem is null and not entry.stays then
      update repld.set_aside s set how = 'validate'
       where (s.link, s.kind, s.schema_name, s.table_name, s.name)
           = (of_link, 'foreign_key', entry.schema_name, entry.table_name, entry.name);
    else
      delete from repld.set_aside s
       where (s.link, s.kind, s.schema_name, s.table_name, s.name)
           = (of_link, 'foreign_key', entry.schema_name, entry.table_name, entry.name);
    end if;
    if problem is not null then
      return next format('foreign key "%s" of "%s.%s", %s: %s', entry.name, entry.schema_name,
                         entry.table_name, entry.plain, problem);
    end if;
  end loop;
end $$;
