-- remove_old_events: one portion of what repld.event need not keep: what is older than 30 days, of any
-- link, since a finalized one has nobody else, and of this link what is beyond its newest 10,000.
-- What another daemon is removing is left to it.
-- $1, $2 link, and the one of the other direction: theirs are one log
delete from repld.event
 where id in (select id from repld.event
               where at < now() - interval '30 days'
                  or (link in ($1, $2) and id <= (select id from repld.event where link in ($1, $2)
                                            order by id desc offset 10000 limit 1))
               order by id limit 1000
                 for update skip locked)
