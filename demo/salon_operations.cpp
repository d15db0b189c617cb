// What the booking assistant writes to schema.sql, with the habits that trouble a replica: bursts
// of upserts, updates that leave a long value alone, rows that change key or partition.
#include "operation.h"

namespace repld::demo {
namespace {

std::vector<Operation> key_store() {
  return {
      {"keys: burst of upserts", 20, false, R"sql(
    insert into whatsapp_keys (company_id, key_type, key_id, value, expires_at)
    select '962302', (array['session', 'pre-key', 'app-state', 'sender-key'])[1 + k % 4], k::text,
           jsonb_build_object('type', 'Buffer', 'data',
             (select string_agg(md5(i || k::text || random()), '')
                from generate_series(0, @n % 120) i)),
           case when k % 3 = 0 then now() + k * interval '1 second' end
      from (select distinct (@n + i * 17) % 2000 + 1 as k from generate_series(1, 3 + @n % 20) i) s
     order by 1, 2, 3
    on conflict (company_id, key_type, key_id)
    do update set value = excluded.value, expires_at = excluded.expires_at)sql"},
      {"keys: upsert of 100 KB values", 2, false, R"sql(
    insert into whatsapp_keys (company_id, key_type, key_id, value)
    select '962302', (array['session', 'pre-key', 'app-state', 'sender-key'])[1 + k % 4], k::text,
           jsonb_build_object('type', 'Buffer', 'data',
             (select string_agg(md5(i || k::text || random()), '')
                from generate_series(1, 3125) i))
      from (select distinct (@n + i * 17) % 2000 + 1 as k from generate_series(1, 3) i) s
     order by 1, 2, 3
    on conflict (company_id, key_type, key_id) do update set value = excluded.value)sql"},
      {"keys: touch, value left alone", 15, false, R"sql(
    update whatsapp_keys set expires_at = now() + (@n % 3600) * interval '1 second'
     where company_id = '962302'
       and key_id in ((1 + @n % 2000)::text, (1 + @n % 2000)::text, (1 + @n % 2000)::text))sql"},
      {"keys: expiry", 5, false, R"sql(
    delete from whatsapp_keys
     where (company_id, key_type, key_id) in (
       select company_id, key_type, key_id from whatsapp_keys where expires_at is not null
        order by expires_at limit 10 for update skip locked))sql"},
      {"keys: value becomes null", 1, false, R"sql(
    update whatsapp_keys set value = (array['null'::jsonb, null])[1 + @n % 2]
     where company_id = '962302' and key_id = (1 + @n % 2000)::text)sql"},
      {"auth: credentials saved", 4, false, R"sql(
    insert into whatsapp_auth (company_id, creds)
    values ((962302 + @n % 5)::text,
            jsonb_build_object('counter', @n, 'noise', repeat(md5('@n'), 100)))
    on conflict (company_id) do update set creds = whatsapp_auth.creds || excluded.creds)sql"},
      {"dialogs: new step", 6, false, R"sql(
    insert into dialog_contexts (company_id, client_id, user_id, context, expires_at)
    values (962302, @pick(clients.id), 'user-' || @n % 100,
            jsonb_build_object('step', @n, 'noise', (select string_agg(md5(i::text || random()), '')
                                                       from generate_series(1, @n % 200) i)),
            now() + interval '1 hour')
    on conflict (company_id, user_id)
    do update set context = excluded.context, client_id = excluded.client_id)sql"},
      {"dialogs: kept alive", 4, false, R"sql(
    update dialog_contexts set expires_at = (array[now(), 'infinity', '-infinity'])[1 + @n % 3]
     where user_id = 'user-' || @n % 100)sql"},
      {"dialogs: forgotten", 1, false, R"sql(
    delete from dialog_contexts where user_id = 'user-' || @n % 100)sql"},
  };
}

std::vector<Operation> bookings() {
  return {
      {"bookings: made, paid, announced", 12, false, R"sql(
    with made as (
      insert into bookings (client_id, staff_id, service_ids, starts_at, duration, cost, raw)
      values (@pick(clients.id), @pick(staff.id), array[1 + @n % 60, 1 + @n % 60],
              timestamp '2026-06-01' + (@n % 500000) * interval '1 minute',
              (@n % 4) * interval '30 minutes', (@n % 9000) / 7.0,
              jsonb_build_object('online', @n % 2 = 0, 'tip', 1.50))
      on conflict do nothing returning id, cost),
    paid as (
      insert into payments (booking_id, amount, rate, method)
      select id, cost, case @n % 5 when 0 then 'NaN' when 1 then null else cost / 3 end,
             'card' from made)
    insert into booking_notifications (booking_id, kind) select id, 'two hours' from made)sql"},
      {"bookings: status", 12, false, R"sql(
    update bookings set status = (array['confirmed', 'done', 'cancelled'])[1 + @n % 3],
                        comment = (array[null, '', 'it''s "fine"', E'two\nlines',
                                           'Спасибо 🙏'])[1 + @n % 5]
     where id = @pick(bookings.id) and status <> 'cancelled')sql"},
      {"bookings: moved", 4, false, R"sql(
    update bookings set starts_at = timestamp '2026-06-01' + (@n % 500000) * interval '1 minute',
                        staff_id = @pick(staff.id)
     where id = @pick(bookings.id))sql"},
      {"bookings: notified", 6, false, R"sql(
    update booking_notifications set sent_at = clock_timestamp()
     where booking_id = @pick(bookings.id))sql"},
      {"bookings: deleted", 4, false, "delete from bookings where id = @pick(bookings.id)"},
      {"payments: corrected", 3, false, R"sql(
    update payments set amount = amount + 0.10, rate = 1e-20 * @n
     where booking_id = @pick(bookings.id))sql"},
      {"schedules: day changed", 3, false, R"sql(
    update staff_schedules set is_day_off = not is_day_off, breaks = breaks || '["15:00"]'
     where id = @pick(staff_schedules.id) and jsonb_array_length(breaks) < 20)sql"},
      {"clients: visit", 10, false, R"sql(
    update clients set visit_count = visit_count + 1, total_spent = total_spent + @n / 100.0,
                       last_visit_at = clock_timestamp(), notes = nullif(repeat('x', @n % 50), ''),
                       tags = (array_append(tags,
                                (array['new', null, '{,"\', ''])[1 + @n % 4]))[1:5]
     where id = @pick(clients.id))sql"},
      {"clients: new or renamed", 6, false, R"sql(
    insert into clients (company_id, name, phone, preferences)
    values (962302, 'Guest @n', '+7901' || lpad((@n % 20000)::text, 7, '0'),
            jsonb_build_object('a', 1.0, 'b', null))
    on conflict (company_id, phone) where phone is not null
    do update set name = excluded.name)sql"},
      {"clients: deleted with all that hangs on them", 2, false,
       "delete from clients where id = @pick(clients.id)"},
      {"clients: renumbered", 2, true, R"sql(
    update clients set id = nextval('clients_id_seq') where id = @pick(clients.id))sql"},
      {"clients: two exchange their phones", 2, true, R"sql(
    with pair as (select array_agg(id) as ids, array_agg(phone) as phones
                    from (select id, phone from clients where id >= @pick(clients.id)
                           order by id limit 2 for update) c),
         cleared as (update clients set phone = null from pair where id = ids[1] returning 1)
    update clients set phone = null from pair, cleared where id = ids[2];
    update clients set phone = '+7902' || lpad(id::text, 7, '0')
     where phone is null and company_id = 962302)sql"},
  };
}

std::vector<Operation> logs() {
  return {
      {"messages: several months", 14, false, R"sql(
    insert into messages (client_id, direction, body, metadata, created_at)
    select @pick(clients.id), 'in', repeat('message @n ', 1 + @n % 50), '{"read": false}',
           timestamptz '2026-01-01 00:00+00' + ((@n + i * 37) % 150) * interval '1 day'
      from generate_series(1, 1 + @n % 3) i)sql"},
      {"messages: to another month", 5, false, R"sql(
    update messages
       set created_at = timestamptz '2026-01-01 00:00+00' + (@n % 150) * interval '1 day'
     where id = @pick(messages.id))sql"},
      {"messages: read", 8, false, R"sql(
    update messages set metadata = metadata || '{"read": true}' where id = @pick(messages.id))sql"},
      {"messages: deleted", 4, false, R"sql(
    delete from messages where id in (@pick(messages.id), @pick(messages.id)))sql"},
      {"log: lines, some equal", 8, false, R"sql(
    insert into audit_log (at, actor, action, weight, raw, payload)
    select case when @n % 3 > 0 then now() end, (array['bot', null, ''])[1 + @n % 3],
            'action ' || @n % 50,
           (array['NaN', 'Infinity', '0.1', '-0', '1e300', null])[1 + @n % 6]::double precision,
           '{"b": 1,  "a": 2}', (array[null, 'null', '{"a": 1.00}'])[1 + @n % 3]::jsonb
      from generate_series(1, 1 + @n % 3))sql"},
      {"log: line changed", 4, false, R"sql(
    update audit_log set action = 'changed @n'
     where ctid = (select ctid from audit_log where action <= 'action ' || @n % 50
                    limit 1 for update skip locked))sql"},
      {"log: lines removed", 4, false, R"sql(
    delete from audit_log
     where ctid = any(array(select ctid from audit_log where actor is null
                             limit 2 for update skip locked)))sql"},
      {"log: line with a long value, then touched", 1, true, R"sql(
    insert into audit_log (action, payload)
    select 'long @n', to_jsonb(string_agg(md5(i::text || random()), ''))
      from generate_series(1, 600) i;
    update audit_log set weight = @n
     where ctid = (select ctid from audit_log where action like 'long%'
                     limit 1 for update skip locked))sql"},
      {"inbox: webhook", 8, false, R"sql(
    insert into webhook_inbox (source, body) values ('crm', jsonb_build_object('event', @n)))sql"},
      {"inbox: worked off", 3, false, R"sql(
    delete from webhook_inbox where id <= @pick(webhook_inbox.id))sql"},
      {"sync: rows upserted", 5, false, R"sql(
    insert into sync_rows (source, id, body)
    select (array['crm', 'chat', 'site'])[1 + i % 3], i, 'synced @n'
      from (select distinct (@n + k * 7) % 500 as i from generate_series(1, 10) k) s order by 2
    on conflict (source, id) do update set body = excluded.body)sql"},
      {"sync: row moves to another leaf", 2, false, R"sql(
    update sync_rows set source = (array['crm', 'chat', 'site', 'shop'])[1 + @n % 4]
     where id = @n % 500 and source <> 'shop')sql"},
  };
}

std::vector<Operation> extremes() {
  return {
      {"truncate: inbox, then filled", 1, true, R"sql(
    truncate webhook_inbox;
    insert into webhook_inbox (source) values ('after truncate'))sql"},
      {"truncate: one leaf", 1, true, "truncate sync_rows_crm"},
      {"truncate: whole partitioned table", 1, true, "truncate sync_rows"},
      {"truncate: keyless log", 1, true, "truncate audit_log"},
      {"keys: renamed, value left alone", 3, true, R"sql(
    update whatsapp_keys set key_id = gen_random_uuid(), expires_at = now()
     where company_id = '962302' and key_type = 'pre-key' and key_id = (1 + @n % 2000)::text)sql"},
      {"schedules: renumbered", 1, true, R"sql(
    update staff_schedules set id = nextval('staff_schedules_id_seq')
     where id = @pick(staff_schedules.id))sql"},
      {"churn: one key comes and goes", 3, true, R"sql(
    delete from sync_rows where source = 'chat' and id = 1;
    insert into sync_rows values ('chat', 1, 'first @n');
    update sync_rows set body = 'second' where source = 'chat' and id = 1;
    delete from sync_rows where source = 'chat' and id = 1;
    insert into sync_rows values ('chat', 1, 'third @n'))sql"},
      {"savepoints: inner work thrown away", 4, true, R"sql(
    savepoint outer_work;
    insert into messages (direction, body, created_at) values ('out', 'kept @n', '2026-02-03');
    savepoint inner_work;
    update cash_accounts set amount = amount + 1000000 where id = 1 + @n % 50;
    insert into messages (direction, body, created_at) values ('out', 'lost @n', '2026-02-03');
    delete from bookings where id = @pick(bookings.id);
    rollback to savepoint inner_work;
    update bookings set comment = 'after a rollback' where id = @pick(bookings.id);
    release savepoint outer_work)sql"},
      {"savepoints: everything thrown away", 2, true, R"sql(
    savepoint all_work;
    truncate webhook_inbox;
    insert into webhook_inbox (source) values ('never seen');
    rollback to savepoint all_work)sql"},
      {"large: thousands of rows at once", 1, true, R"sql(
    insert into sync_rows (source, id, body)
    select 'crm', 100000 + i, 'bulk @n' from generate_series(1, 3000) i
    on conflict (source, id) do update set body = excluded.body)sql"},
  };
}

}  // namespace

std::vector<Operation> salon_operations() {
  std::vector<Operation> all;
  for (const auto& part : {key_store(), bookings(), logs(), extremes()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace repld::demo
