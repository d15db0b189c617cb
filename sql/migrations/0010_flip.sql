-- flip: where in its stream a link met the newest move of a group (repld.route): from there on it
-- applies the group's changes, or no longer does. Written before progress passes the place, so that
-- a link that begins again knows which changes of a group lie before its move.

create table repld.flip (
  link       text not null,
  group_name text not null,
  generation bigint not null,
  lsn        pg_lsn not null,          -- commit of the transaction that moved it, on the link's source
  primary key (link, group_name)
);
