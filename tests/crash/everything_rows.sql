-- What the source's tables of everything.sql begin with.
insert into kinds select s.* from generate_series(1, 100) i, sample(i + 150 * (i * 7919 % 6000)) s
  on conflict do nothing;
insert into odd_keys
  select 'K' || i, int4range(i, i + 5), array[i, null], 'so so', i / 10.0, 0
    from generate_series(1, 30) i;
insert into chains select i, 'k', 'v', repeat('big', 1500) from generate_series(1, 40) i;
insert into swaps select i, i, 'v' from generate_series(1, 40) i;
insert into swaps_full select i, 'v' from generate_series(1, 30) i;
insert into uniques select i, 'c' || i, i, int4range(i * 10, i * 10 + 10)
  from generate_series(0, 39) i;
insert into fulls select i, 'v', repeat(md5(i::text), 150) from generate_series(1, 40) i;
insert into keyless
  select i % 5, (array[1.0, 1.00, 'NaN', null])[1 + i % 4], nullif('x', 'x'), '[1.0]'
    from generate_series(1, 40) i;
insert into numbered (n, v) select i, 'v' from generate_series(1, 40) i;
insert into parted select i, i % 30, 'v' from generate_series(1, 90) i;
insert into dealt select i, i % 4, 'v' from generate_series(1, 60) i;
insert into parents select i, 'v' from generate_series(1, 20) i;
insert into children select i, 'v', i from generate_series(1, 20) i;
insert into cut_a (n) select i from generate_series(1, 10) i;
insert into cut_b (a_id, n) select i, i from generate_series(1, 10) i;
insert into cut_c (n) select i from generate_series(1, 10) i;
insert into owners select i, 'o' from generate_series(1, 30) i;
insert into pets select i, 'p', 1 + i % 30 from generate_series(1, 90) i;
insert into toys select i, 1 + i % 90 from generate_series(1, 180) i;
insert into shaped select i, 'v' from generate_series(1, 30) i;
insert into grown select i, 'v' from generate_series(1, 30) i;
insert into retyped select i, i, 'v' || i, 'sad' from generate_series(1, 30) i;
insert into bulk select i, 0, repeat('b', 100) from generate_series(1, 100) i;
insert into cash_accounts select i, 1000 from generate_series(1, 50) i;
insert into card_accounts select i, 1000 from generate_series(1, 50) i;
