-- A course of everything_courses.h: many rows in one record of the WAL, which only COPY writes.
begin;
delete from copied;
copy copied from stdin with (delimiter '|');
1|one|2026-03-29 02:30:00+02
2||infinity
3|\N|\N
4|a\\b\nc{,}"d"'|1883-11-18 12:03:58+00
5|Яё|-infinity
6|six|2026-01-01 00:00:00+00
\.
insert into copied select i, repeat('more', 20), now() from generate_series(7, 40) i;
update copied set body = body || txid_current() where id % 3 = 0;
commit;
