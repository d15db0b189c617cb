// A pair between which groups can move both ways, with tables that have what moves with them: keys,
// sequences, triggers, partitions.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/pair.h"

namespace repld::testing {

class MovingPair : public Pair {
 public:
  explicit MovingPair(const std::string& extra = "") : Pair(options(extra)) {
    on_both(
        "create function touch() returns trigger language plpgsql as $$ begin "
        "new.touched = coalesce(new.touched, 0) + 1; return new; end $$; "
        "create table a (id bigint generated always as identity primary key, body text, "
        "touched int); "
        "create table b (id serial primary key, a_id bigint references a on delete cascade); "
        "create table p (id int, k int, body text, primary key (id, k)) partition by list (k); "
        "create table p1 partition of p for values in (1); create table p2 partition of p default; "
        "create trigger touch before insert or update on a for each row execute function touch()");
    on_source(
        "insert into a (body) select 'first ' || n from generate_series(1, 50) n; "
        "insert into b (a_id) select id from a; "
        "insert into p select n, n % 3, 'row' from generate_series(1, 30) n");
  }

  // Copied, caught up and proven.
  bool ready() { return begin() && daemon.replctl({"verify"}).exit_code == 0; }
  Outcome cutover(std::vector<std::string> more = {}) const { return move("cutover", more); }
  Outcome rollback(std::vector<std::string> more = {}) const { return move("rollback", more); }

  // What the applications are told.
  std::string primary(const std::string& group = "all") const {
    const std::string path = daemon.directory() + "/primary.json";
    const auto json = nlohmann::json::parse(read_file(path), nullptr, false);
    return json.is_object() ? json.value(group, "") : "";
  }
  // SQLSTATE of a write; empty: it was taken.
  static std::string write(const Platform& side) {
    return sqlstate_of(side.dsn, "set lock_timeout = '5s'; insert into a (body) values ('more')");
  }
  std::string unequal() const { return difference({"public.a", "public.b", "public.p"}); }
  // What was written on the primary has arrived on the other side, row by row.
  bool becomes_equal() const {
    return eventually(std::chrono::seconds(30), [this] { return unequal().empty(); });
  }

  // Cutovers that are not over, on either side.
  int64_t unfinished() const {
    int64_t open = 0;
    for (const Platform* side : {&source, &target}) {
      const bool known = !run_sql(side->dsn, "select to_regclass('repld.cutover')")[0][0].is_null();
      open += known ? count(side->dsn, "repld.cutover where state in ('begun', 'committed')") : 0;
    }
    return open;
  }

 private:
  static PairOptions options(const std::string& extra) {
    PairOptions options;
    options.target_variant = TimewebVariant::C;
    options.extra = extra;
    return options;
  }
  Outcome move(const std::string& verb, const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {verb, "--yes"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return daemon.replctl(arguments);
  }
};

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace repld::testing
