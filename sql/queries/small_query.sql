-- small_query: what a server needs for a query that finds one row by a key.
-- returns: 1 row
select relname from pg_class where oid = 'pg_class'::regclass
