-- server_actors: event triggers, publications and subscriptions of a database.
-- returns: kind, name, detail
select 'event trigger' as kind, evtname::text as name, evtevent::text as detail
  from pg_event_trigger where evtenabled <> 'D'
union all
select 'publication', pubname, case when puballtables then 'all tables' else '' end from pg_publication
union all
select 'subscription', subname, case when subenabled then 'enabled' else 'disabled' end
  from pg_subscription where subdbid = (select oid from pg_database where datname = current_database())
 order by 1, 2
