-- cutover_sides: what one side says of whether it can change roles.
-- $1 tables (json array of pairs, schema and name)
-- returns: is a standby; new transactions are read-only; schema repld is there or may be made; tables
--          that are not ours, they and their partitions (null: all are); pg_cron is installed;
--          names of subscriptions that write here (null: none, or not for us to see)
with recursive tree as (
  select c.oid
    from jsonb_array_elements($1::jsonb) g
    join pg_namespace n on n.nspname = g ->> 0
    join pg_class c on c.relnamespace = n.oid and c.relname = g ->> 1
  union
  select i.inhrelid from tree t join pg_inherits i on i.inhparent = t.oid
)
select pg_is_in_recovery(), current_setting('default_transaction_read_only')::bool,
       to_regnamespace('repld') is not null
         or has_database_privilege(current_database(), 'create'),
       (select string_agg(t.oid::regclass::text, ', ' order by t.oid::regclass::text)
          from tree t join pg_class c on c.oid = t.oid
         where not pg_has_role(c.relowner, 'usage')),
       exists (select from pg_extension where extname = 'pg_cron'),
       (select string_agg(s.subname, ', ' order by s.subname) from pg_subscription s
         where s.subenabled
           and s.subdbid = (select oid from pg_database where datname = current_database()))
