-- A salon's booking assistant: tables as such an application grows them. For both sides; loads as
-- an ordinary owner on PostgreSQL 15 and later, without extensions.
\set ON_ERROR_STOP on
set client_min_messages = warning;

create function touch_updated_at() returns trigger language plpgsql as $$
begin
  new.updated_at := now();
  return new;
end $$;

create table clients (
  id serial primary key,
  company_id integer not null,
  external_id bigint,
  name varchar(255) not null,
  phone varchar(20),
  email text,
  birth_date date,
  discount numeric(5,2) not null default 0,
  total_spent numeric not null default 0,
  visit_count integer not null default 0,
  tags text[] not null default '{}',
  favourite_staff_ids integer[],
  languages varchar(50)[],
  preferences jsonb not null default '{}',
  notes text,
  blacklisted boolean not null default false,
  last_visit_at timestamp,
  last_message_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamp not null default now(),
  constraint clients_discount_range check (discount between 0 and 100)
);
create unique index clients_phone_per_company on clients (company_id, phone)
  where phone is not null;
create index clients_by_tag on clients using gin (tags);

create table staff (
  id serial primary key,
  company_id integer not null,
  name varchar(255) not null,
  specialization text,
  rating numeric(3,2),
  fired boolean not null default false,
  settings jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table services (
  id serial primary key,
  company_id integer not null,
  external_id integer not null,
  title varchar(255) not null,
  category text,
  price_min numeric(10,2) not null,
  price_max numeric(10,2),
  duration_minutes smallint not null check (duration_minutes > 0),
  staff_ids integer[] not null default '{}',
  active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (company_id, external_id)
);

create table staff_schedules (
  id serial primary key,
  staff_id integer not null references staff (id) on update cascade on delete cascade,
  work_date date not null,
  starts time not null default '10:00',
  ends time not null default '20:00',
  breaks jsonb not null default '[]',
  is_day_off boolean not null default false,
  updated_at timestamp not null default now(),
  unique (staff_id, work_date)
);

create table bookings (
  id bigserial primary key,
  client_id integer not null references clients (id) on update cascade on delete cascade,
  staff_id integer references staff (id) on update cascade on delete set null,
  service_ids integer[] not null default '{}',
  starts_at timestamp not null,
  duration interval not null default '1 hour',
  status varchar(20) not null default 'new'
    check (status in ('new', 'confirmed', 'done', 'cancelled')),
  cost numeric(10,2),
  comment text,
  raw jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamp not null default now()
);
create unique index bookings_one_per_slot on bookings (staff_id, starts_at)
  where status <> 'cancelled';
create index bookings_by_client on bookings (client_id);

create table payments (
  id uuid primary key default gen_random_uuid(),
  booking_id bigint references bookings (id) on delete set null,
  amount numeric(12,2) not null,
  rate numeric,
  method text not null,
  paid_at timestamptz not null default now()
);
create index payments_by_booking on payments (booking_id);

create table booking_notifications (
  id uuid primary key default gen_random_uuid(),
  booking_id bigint not null references bookings (id) on delete cascade,
  kind varchar(30) not null,
  sent_at timestamptz,
  error text
);
create unique index booking_notifications_once on booking_notifications (booking_id, kind)
  where sent_at is not null;
create index booking_notifications_by_booking on booking_notifications (booking_id);

create table dialog_contexts (
  id uuid primary key default gen_random_uuid(),
  company_id integer not null,
  client_id integer references clients (id) on update cascade on delete set null,
  user_id text not null,
  context jsonb not null default '{}',
  expires_at timestamptz not null,
  updated_at timestamptz not null default now(),
  unique (company_id, user_id)
);
create index dialog_contexts_by_client on dialog_contexts (client_id);

create table messages (
  id bigserial,
  client_id integer references clients (id) on update cascade on delete set null,
  direction varchar(10) not null check (direction in ('in', 'out')),
  body text,
  metadata jsonb,
  created_at timestamptz not null default now(),
  primary key (id, created_at)
) partition by range (created_at);
create table messages_2026_01 partition of messages
  for values from ('2026-01-01 00:00+00') to ('2026-02-01 00:00+00');
create table messages_2026_02 partition of messages
  for values from ('2026-02-01 00:00+00') to ('2026-03-01 00:00+00');
create table messages_2026_03 partition of messages
  for values from ('2026-03-01 00:00+00') to ('2026-04-01 00:00+00');
create table messages_2026_04 partition of messages
  for values from ('2026-04-01 00:00+00') to ('2026-05-01 00:00+00');
create table messages_later partition of messages default;
create index messages_by_client on messages (client_id);

create table whatsapp_auth (
  company_id text primary key,
  creds jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table whatsapp_keys (
  company_id text not null,
  key_type text not null,
  key_id text not null,
  value jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  expires_at timestamptz,
  primary key (company_id, key_type, key_id)
);
create index whatsapp_keys_expiry on whatsapp_keys (expires_at) where expires_at is not null;

-- No key at all: old rows are matched as a whole, equal rows each count.
create table audit_log (
  at timestamptz default now(),
  actor text,
  action text,
  weight double precision,
  raw json,
  payload jsonb
);
alter table audit_log replica identity full;

-- Emptied by the application now and then.
create table webhook_inbox (
  id bigserial primary key,
  source text not null,
  body jsonb,
  received_at timestamptz not null default now()
);

create table sync_rows (
  source text not null,
  id integer not null,
  body text,
  primary key (source, id)
) partition by list (source);
create table sync_rows_crm partition of sync_rows for values in ('crm');
create table sync_rows_chat partition of sync_rows for values in ('chat');
create table sync_rows_other partition of sync_rows default;

\ir accounts.sql

create trigger clients_touch before update on clients
  for each row execute function touch_updated_at();
create trigger staff_touch before update on staff
  for each row execute function touch_updated_at();
create trigger services_touch before update on services
  for each row execute function touch_updated_at();
create trigger staff_schedules_touch before update on staff_schedules
  for each row execute function touch_updated_at();
create trigger bookings_touch before update on bookings
  for each row execute function touch_updated_at();
create trigger dialog_contexts_touch before update on dialog_contexts
  for each row execute function touch_updated_at();
create trigger whatsapp_auth_touch before update on whatsapp_auth
  for each row execute function touch_updated_at();
create trigger whatsapp_keys_touch before update on whatsapp_keys
  for each row execute function touch_updated_at();

alter table clients enable row level security;
create policy clients_all on clients using (true) with check (true);
alter table bookings enable row level security;
create policy bookings_all on bookings using (true) with check (true);
alter table whatsapp_auth enable row level security;
create policy whatsapp_auth_all on whatsapp_auth using (true) with check (true);
alter table whatsapp_keys enable row level security;
create policy whatsapp_keys_all on whatsapp_keys using (true) with check (true);
