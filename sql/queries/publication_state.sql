-- publication_state: whether a publication is ours and publishes every change under the leaf's name.
-- $1 name  $2 comment of ours
-- returns: is ours, has a comment, publishes everything, publishes more than listed tables; no row
--          when there is none
select coalesce(obj_description(p.oid, 'pg_publication') = $2 and $2 <> '', false),
       obj_description(p.oid, 'pg_publication') is not null,
       p.pubinsert and p.pubupdate and p.pubdelete and p.pubtruncate and not p.pubviaroot,
       p.puballtables or exists (select from pg_publication_namespace n where n.pnpubid = p.oid)
  from pg_publication p
 where p.pubname = $1
