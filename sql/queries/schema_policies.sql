-- schema_policies: row level security policies of tables.
-- $1 oids
-- returns: table oid, name, roles (json; empty: public), definition
select p.polrelid::bigint, p.polname,
       (select coalesce(json_agg(r.rolname order by r.rolname), '[]') from pg_roles r
         where r.oid = any (p.polroles)),
       format('create policy %I on %I.%I as %s for %s to %s%s%s', p.polname, n.nspname, c.relname,
              case when p.polpermissive then 'permissive' else 'restrictive' end,
              case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
                            when 'd' then 'delete' else 'all' end,
              coalesce((select string_agg(quote_ident(r.rolname), ', ' order by r.rolname)
                          from pg_roles r where r.oid = any (p.polroles)), 'public'),
              ' using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
              ' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
  from pg_policy p
  join pg_class c on c.oid = p.polrelid
  join pg_namespace n on n.oid = c.relnamespace
 where p.polrelid = any ($1::oid[])
 order by p.polrelid, p.polname
