-- Seed rows for schema.sql, made up by SQL: for the source only.
-- psql -v scale=0.1 makes a tenth of the bulky rows (about 150 MB with scale 1).
\set ON_ERROR_STOP on
\if :{?scale}
\else
  \set scale 1
\endif
\encoding UTF8
set client_min_messages = error;
begin;
select setseed(0.42) \g /dev/null

-- Text that does not compress, so that long values really are stored out of line.
create function pg_temp.noise(salt text, bytes integer) returns text language sql as $$
  select left(string_agg(md5(salt || i), ''), bytes) from generate_series(0, bytes / 32) i
$$;

insert into clients (company_id, external_id, name, phone, email, birth_date, discount, total_spent,
                     visit_count, tags, favourite_staff_ids, languages, preferences, notes,
                     last_visit_at, last_message_at)
select 962302, 100000 + i, case when i % 9 = 0 then 'Мария 💇 ' else 'Client ' end || i, '+7900' || lpad(i::text, 7, '0'),
       case when i % 3 = 0 then 'client' || i || '@example.org' end,
       date '1970-01-01' + (i * 37) % 12000, (i % 20) * 1.25, i * 13.370 / 7, i % 40,
       case when i % 5 = 0 then array['vip', 'say "hi"', E'back\\slash', null] else '{}' end,
       array[1 + i % 12, 1 + (i + 5) % 12], array['ru', 'en']::varchar(50)[],
       jsonb_build_object('channel', 'whatsapp', 'quiet', i % 2 = 0, 'score', i * 1.10),
       case when i % 7 = 0 then E'line one\nline two\ttab' when i % 11 = 0 then '' end,
       timestamp '2026-01-01' + i * interval '37 minutes',
       timestamptz '2026-01-01 00:00+00' + i * interval '41 minutes'
  from generate_series(1, 1300) i;

insert into staff (company_id, name, specialization, rating, settings)
select 962302, 'Stylist ' || i, (array['barber', 'colourist', null])[1 + i % 3], 3 + (i % 20) / 10.0,
       case when i % 4 <> 0 then jsonb_build_object('chair', i) end
  from generate_series(1, 12) i;

insert into services (company_id, external_id, title, category, price_min, price_max,
                      duration_minutes, staff_ids)
select 962302, 5000 + i, 'Service ' || i, 'Category ' || i % 6, 500 + i * 10,
       case when i % 2 = 0 then 700 + i * 10 end, 15 * (1 + i % 8), array[1 + i % 12]
  from generate_series(1, 60) i;

insert into staff_schedules (staff_id, work_date, is_day_off, breaks)
select s, date '2026-01-01' + d, d % 7 = 0, case when d % 3 = 0 then '["13:00"]' else '[]' end::jsonb
  from generate_series(1, 12) s, generate_series(0, 30) d;

insert into bookings (client_id, staff_id, service_ids, starts_at, status, cost, raw)
select 1 + (i * 7) % 1300, 1 + i % 12, array[1 + i % 60], timestamp '2026-01-01 10:00' + i * interval '1 hour',
       (array['new', 'confirmed', 'done', 'cancelled'])[1 + i % 4], 1000 + i % 500, jsonb_build_object('n', i)
  from generate_series(1, 3000) i;

insert into payments (booking_id, amount, rate, method)
select i, 1000 + i % 500, case i % 50 when 0 then 'NaN' when 1 then null else i / 3.0 end::numeric,
       (array['cash', 'card'])[1 + i % 2]
  from generate_series(1, 2000) i;

insert into booking_notifications (booking_id, kind, sent_at)
select i, (array['day before', 'two hours'])[1 + i % 2], case when i % 3 > 0 then now() end
  from generate_series(1, 1500) i;

insert into dialog_contexts (company_id, client_id, user_id, context, expires_at)
select 962302, i * 60, 'user-' || i, jsonb_build_object('step', 'choose time', 'noise', pg_temp.noise('d' || i, 3000)),
       case when i = 1 then 'infinity' else now() + interval '1 day' end
  from generate_series(1, 21) i;

insert into messages (client_id, direction, body, metadata, created_at)
select 1 + (i * 31) % 1300, (array['in', 'out'])[1 + i % 2], 'Message ' || i || ' ' || pg_temp.noise('m' || i, 320),
       jsonb_build_object('wamid', md5(i::text), 'read', i % 3 = 0),
       timestamptz '2026-01-01 00:00+00' + (i % 150) * interval '1 day' + (i % 86400) * interval '1 second'
  from generate_series(1, (200000 * :scale)::integer) i;

insert into whatsapp_auth (company_id, creds)
values ('962302', jsonb_build_object('registrationId', 1, 'noise', pg_temp.noise('creds', 4000)));

insert into whatsapp_keys (company_id, key_type, key_id, value, expires_at)
select '962302', (array['session', 'pre-key', 'app-state', 'sender-key'])[1 + i % 4], i::text,
       jsonb_build_object('type', 'Buffer', 'data', pg_temp.noise('k' || i, (1000 + 99000 * power(random(), 3))::integer)),
       case when i % 4 = 1 then now() + i * interval '1 minute' end
  from generate_series(1, (2000 * :scale)::integer) i;

insert into audit_log (actor, action, weight, raw, payload)
select case when i % 4 > 0 then 'system' end, 'seed ' || i / 3,
       case i % 10 when 0 then 'NaN' when 1 then '-Infinity' when 2 then null else i / 7.0 end::double precision,
       '{"b": 1, "a":  2}', case when i % 2 = 0 then '{"a": 1.0}'::jsonb end
  from generate_series(1, 300) i;

insert into sync_rows (source, id, body)
select (array['crm', 'chat', 'site'])[1 + i % 3], i, 'row ' || i from generate_series(1, 300) i;

insert into cash_accounts select i, 1000 from generate_series(1, 50) i;
insert into card_accounts select i, 1000 from generate_series(1, 50) i;
commit;
analyze;
