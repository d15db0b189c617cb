// A small schema on both sides of the comparison's tests.
#pragma once

#include "core/schema.h"

namespace repld::testing {

inline schema::Column sample_column(const char* name, const char* type, bool not_null = false) {
  schema::Column column;
  column.name = name;
  column.type = type;
  column.not_null = not_null;
  return column;
}

// public.orders (id integer primary key, note varchar(20) default 'x'), with a foreign key to
// public.clients, an index, a trigger and a policy.
inline schema::Database sample_schema() {
  schema::Database database;
  database.user = "us";
  database.owner = "us";
  database.namespaces = {{"public", "pg_database_owner", true, true}};
  schema::Table clients;
  clients.name = clients.root = {"public", "clients"};
  clients.owner = "us";
  clients.owned = true;
  clients.columns = {sample_column("id", "integer", true)};
  clients.constraints = {{"clients_pkey", 'p', "PRIMARY KEY (id)", {}}};
  schema::Table orders = clients;
  orders.name = orders.root = {"public", "orders"};
  orders.columns.push_back(sample_column("note", "character varying(20)"));
  orders.columns[1].expression = "'x'::character varying";
  orders.columns[1].variable_length = true;
  orders.constraints = {{"orders_pkey", 'p', "PRIMARY KEY (id)", {}},
                        {"orders_note", 'c', "CHECK ((note <> ''::text))", {}},
                        {"orders_client",
                         'f',
                         "FOREIGN KEY (id) REFERENCES public.clients(id)",
                         {"public", "clients"}}};
  orders.indexes = {{"by_note",
                     "CREATE INDEX by_note ON public.orders USING btree (note)",
                     false,
                     false,
                     true,
                     {"note"}}};
  orders.triggers = {{"touch",
                      "CREATE TRIGGER touch BEFORE UPDATE ON public.orders FOR EACH ROW EXECUTE "
                      "FUNCTION public.touch()",
                      true,
                      {"public", "touch"}}};
  orders.row_security = true;
  orders.policies = {{"all_rows", {}, "create policy all_rows on public.orders using (true)"}};
  database.tables = {clients, orders};
  database.functions = {{{"public", "touch"},
                         "public.touch()",
                         "plpgsql",
                         "CREATE FUNCTION public.touch() RETURNS trigger ..."}};
  database.requirements = {
      {schema::Requirement::Kind::function, "public", "public.touch()", "", ""}};
  return database;
}

}  // namespace repld::testing
