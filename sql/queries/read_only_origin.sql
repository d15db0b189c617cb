-- read_only_origin: where default_transaction_read_only is set for us, role and database before database.
-- returns: role (empty: none), database (empty: none)
select coalesce(pg_get_userbyid(nullif(s.setrole, 0)), ''), coalesce(d.datname, '')
  from pg_db_role_setting s
  left join pg_database d on d.oid = s.setdatabase
 where exists (select from unnest(s.setconfig) c
                where c ~* '^default_transaction_read_only=(on|true|yes|1)$')
   and s.setrole in (0, (select oid from pg_roles where rolname = current_user))
   and (s.setdatabase = 0 or d.datname = current_database())
 order by s.setrole desc, s.setdatabase desc
