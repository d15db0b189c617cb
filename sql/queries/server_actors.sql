-- server_actors: event triggers, publications and subscriptions of a database; triggers that call out
-- over the network (Supabase's database webhooks, and functions that use pg_net), and whether anything
-- could.
-- returns: kind, name, detail
select 'event trigger' as kind, evtname::text as name, evtevent::text as detail
  from pg_event_trigger where evtenabled <> 'D'
union all
select 'publication', pubname, case when puballtables then 'all tables' else '' end from pg_publication
union all
select 'subscription', subname, case when subenabled then 'enabled' else 'disabled' end
  from pg_subscription where subdbid = (select oid from pg_database where datname = current_database())
union all
select 'webhook', t.tgname, t.tgrelid::regclass::text
  from pg_trigger t
  join pg_proc p on p.oid = t.tgfoid
  join pg_namespace n on n.oid = p.pronamespace
 where not t.tgisinternal and t.tgparentid = 0 and t.tgenabled <> 'D'
   and ((n.nspname = 'supabase_functions' and p.proname = 'http_request')
     or p.prosrc ~* '\m(net\.http_(get|post|delete)|supabase_functions\.http_request)\M')
union all
select distinct 'network', 'pg_net', ''
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
 where n.nspname = 'net' and p.proname in ('http_get', 'http_post', 'http_delete')
 order by 1, 2
