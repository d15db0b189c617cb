#include "core/change_set.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <deque>

#include "row_mappings.h"

using namespace repld;
using namespace repld::testing;

namespace {

// Values of a change in short: "~" is unchanged TOAST, "-" is NULL.
using Texts = std::vector<std::string>;

// Source relations, one mapping each, and the parts that the changes are in.
class Script {
 public:
  Script() { parts_.emplace_back(); }

  void table(const std::string& name, RowMapping mapping) {
    auto relation = std::make_shared<Relation>();
    relation->oid = static_cast<uint32_t>(mappings_.size()) + 1;
    relation->name = name;
    mappings_.emplace_back(relation, std::move(mapping));
  }
  void begin() { parts_.emplace_back(); }
  // From here on the relation comes in another shape, though it is mapped as before.
  void alter(const std::string& name) {
    const RelationPtr before = relation(name);
    auto after = std::make_shared<Relation>(*before);
    const RowMapping mapping = mapping_of(before);
    mappings_.emplace(mappings_.begin(), std::move(after), mapping);
  }

  void insert(const Texts& row, const std::string& name = "t") {
    add(name, ChangeKind::insert, OldTuple::none).new_first = store(row);
  }
  void update(const Texts& row, const std::string& name = "t") {
    add(name, ChangeKind::update, OldTuple::none).new_first = store(row);
  }
  void update(const Texts& old, const Texts& row, OldTuple tuple = OldTuple::key) {
    Change& change = add("t", ChangeKind::update, tuple);
    change.old_first = store(old);
    change.new_first = store(row);
  }
  void remove(const Texts& old, const std::string& name = "t") {
    add(name, ChangeKind::remove, OldTuple::key).old_first = store(old);
  }
  void truncate(const std::string& name = "t") {
    Change change;
    change.kind = ChangeKind::truncate;
    change.truncate = parts_.back().truncates.size();
    parts_.back().truncates.push_back({{relation(name)}, false, false});
    parts_.back().changes.push_back(change);
  }
  void keep_order(const std::string& name) { ordered_ = name; }

  // The steps, one a line: what to do, then the rows.
  std::string steps() {
    ChangeSet changes(
        [this](const RelationPtr& wanted) -> const RowMapping& { return mapping_of(wanted); },
        [this](const RelationPtr& asked) { return asked->name == ordered_; });
    for (const TransactionPart& part : parts_) {
      changes.add(part);
    }
    std::string text;
    for (const ApplyStep& step : changes.take()) {
      text += (text.empty() ? "" : "; ") + shown(step);
    }
    return text;
  }

 private:
  const RelationPtr& relation(const std::string& name) const {
    for (const auto& [relation, mapping] : mappings_) {
      if (relation->name == name) {
        return relation;
      }
    }
    throw std::runtime_error("no such table: " + name);
  }

  const RowMapping& mapping_of(const RelationPtr& wanted) const {
    for (const auto& [relation, mapping] : mappings_) {
      if (relation == wanted) {
        return mapping;
      }
    }
    throw std::runtime_error("no such relation");
  }

  Change& add(const std::string& name, ChangeKind kind, OldTuple old) {
    Change change;
    change.kind = kind;
    change.old_tuple = old;
    change.relation = relation(name);
    return parts_.back().changes.emplace_back(std::move(change));
  }

  size_t store(const Texts& texts) {
    TransactionPart& part = parts_.back();
    const size_t first = part.values.size();
    for (const std::string& text : texts) {
      Value value;
      value.kind = text == "~"   ? Value::Kind::unchanged
                   : text == "-" ? Value::Kind::null
                                 : Value::Kind::text;
      value.offset = part.arena.size();
      value.length = value.kind == Value::Kind::text ? static_cast<uint32_t>(text.size()) : 0;
      part.arena += value.kind == Value::Kind::text ? text : "";
      part.arena += '\0';
      part.values.push_back(value);
    }
    return first;
  }

  std::string shown(const ApplyStep& step) const {
    if (const auto* place = std::get_if<InOrder>(&step)) {
      return fmt::format("change {}.{}", place->part, place->change);
    }
    const auto& set = std::get<RowSet>(step);
    const size_t width = mapping_of(set.relation).columns.size();
    std::vector<std::string> rows;
    for (const Field* row : set.rows) {
      Texts texts;
      for (size_t i = 0; i < width; ++i) {
        texts.push_back(!row[i].known ? "~" : row[i].text == nullptr ? "-" : row[i].text);
      }
      rows.push_back(fmt::format("({})", fmt::join(texts, " ")));
    }
    const char* kinds[] = {"insert", "update", "delete"};
    return fmt::format("{} {} {}", kinds[static_cast<int>(set.kind)], set.relation->name,
                       fmt::join(rows, ""));
  }

  std::deque<TransactionPart> parts_;
  std::deque<std::pair<RelationPtr, RowMapping>> mappings_;
  std::string ordered_;
};

// t (id int primary key, a text, b text), and u alike.
Script two_tables() {
  Script script;
  const RowMapping mapping =
      table_of({key_column("id", "int"), column("a", "text"), column("b", "text")});
  script.table("t", mapping);
  RowMapping other = mapping;
  other.target = "\"s\".\"u\"";
  script.table("u", other);
  return script;
}

struct Folding {
  const char* name;
  void (*changes)(Script& script);
  const char* steps;
};

void check(const std::vector<Folding>& foldings) {
  for (const Folding& folding : foldings) {
    CAPTURE(folding.name);
    Script script = two_tables();
    folding.changes(script);
    CHECK(script.steps() == folding.steps);
  }
}

}  // namespace

TEST_CASE("changes to one key fold to what was before and what is after") {
  check({
      {"insert",
       [](Script& s) {
         s.insert({"1", "x", "-"});
       },
       "insert t (1 x -)"},
      {"insert, update",
       [](Script& s) {
         s.insert({"1", "x", "y"});
         s.update({"1", "z", "~"});
       },
       "insert t (1 z y)"},
      {"insert, delete",
       [](Script& s) {
         s.insert({"1", "x", "y"});
         s.remove({"1", "-", "-"});
       },
       ""},
      {"insert, delete, insert",
       [](Script& s) {
         s.insert({"1", "x", "y"});
         s.remove({"1", "-", "-"});
         s.insert({"1", "p", "q"});
       },
       "insert t (1 p q)"},
      {"update, delete",
       [](Script& s) {
         s.update({"1", "x", "~"});
         s.remove({"1", "-", "-"});
       },
       "delete t (1 x ~)"},
      {"delete, insert",
       [](Script& s) {
         s.remove({"1", "-", "-"});
         s.insert({"1", "x", "y"});
       },
       "update t (1 x y)"},
      {"update, delete, insert, update",
       [](Script& s) {
         s.update({"1", "p", "~"});
         s.remove({"1", "-", "-"});
         s.insert({"1", "x", "y"});
         s.update({"1", "~", "z"});
       },
       "update t (1 x z)"},
      {"delete, insert, delete",
       [](Script& s) {
         s.remove({"1", "-", "-"});
         s.insert({"1", "x", "y"});
         s.remove({"1", "-", "-"});
       },
       "delete t (1 x y)"},
  });
}

TEST_CASE("an update keeps what it does not know") {
  check({
      {"updates of different columns",
       [](Script& s) {
         s.update({"1", "x", "~"});
         s.update({"1", "~", "y"});
         s.update({"1", "z", "~"});
       },
       "update t (1 z y)"},
      {"an update that leaves TOAST alone",
       [](Script& s) {
         s.update({"1", "x", "~"});
       },
       "update t (1 x ~)"},
      {"update to NULL",
       [](Script& s) {
         s.update({"1", "-", "~"});
       },
       "update t (1 - ~)"},
      {"an insert before it, in a transaction of its own",
       [](Script& s) {
         s.insert({"1", "x", "y"});
         s.begin();
         s.update({"1", "z", "~"});
       },
       "insert t (1 z y)"},
      {"an old row whose key is the same",
       [](Script& s) {
         s.update({"1", "-", "-"}, {"1", "x", "~"});
       },
       "update t (1 x ~)"},
      {"a key stored out of line, which comes unchanged beside the old one",
       [](Script& s) {
         s.update({"1", "-", "-"}, {"~", "x", "~"});
       },
       "update t (1 x ~)"},
      {"TOAST that the old row of FULL has",
       [](Script& s) {
         s.update({"1", "p", "q"}, {"1", "x", "~"}, OldTuple::full);
       },
       "update t (1 x q)"},
  });
}

TEST_CASE("deletes go first, then updates by the columns they know, then inserts") {
  Script script = two_tables();
  script.insert({"1", "x", "x"});
  script.update({"2", "y", "~"});
  script.update({"3", "~", "y"});
  script.update({"4", "y", "~"});
  script.remove({"5", "-", "-"});
  script.insert({"6", "x", "x"});
  script.remove({"7", "-", "-"});
  CHECK(script.steps() ==
        "delete t (5 ~ ~)(7 ~ ~); update t (3 ~ y); update t (2 y ~)(4 y ~); "
        "insert t (1 x x)(6 x x)");
}

TEST_CASE("what cannot fold parts what comes before it from what comes after, for its table") {
  struct Row {
    const char* name;
    void (*change)(Script& script);
    const char* steps;
  };
  const Row rows[] = {
      {"a change of key",
       [](Script& s) {
         s.update({"1", "-", "-"}, {"9", "x", "~"});
       },
       "insert t (1 a b); change 0.2; insert u (1 a b); update t (1 c d)"},
      {"truncate", [](Script& s) { s.truncate(); },
       "insert t (1 a b); change 0.2; insert u (1 a b); update t (1 c d)"},
      {"an insert of a row that is there",
       [](Script& s) {
         s.insert({"1", "x", "y"});
       },
       "insert t (1 a b); change 0.2; insert u (1 a b); update t (1 c d)"},
      {"a key that is NULL",
       [](Script& s) {
         s.insert({"-", "x", "y"});
       },
       "insert t (1 a b); change 0.2; insert u (1 a b); update t (1 c d)"},
      {"truncate of another table", [](Script& s) { s.truncate("u"); },
       "insert u (1 a b); change 0.2; insert t (1 c d)"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Script script = two_tables();
    script.insert({"1", "a", "b"}, "t");
    script.insert({"1", "a", "b"}, "u");
    row.change(script);
    script.update({"1", "c", "d"}, "t");
    CHECK(script.steps() == row.steps);
  }
}

TEST_CASE("an update of a row that the same batch deleted is left to the target's refusal") {
  Script script = two_tables();
  script.remove({"1", "-", "-"});
  script.update({"1", "x", "y"});
  CHECK(script.steps() == "delete t (1 ~ ~); change 0.1");
}

TEST_CASE("of a table without a key only inserts gather, equal ones too") {
  Script script;
  script.table("t", keyless());
  script.insert({"x", "{}"});
  script.insert({"x", "{}"});
  script.remove({"x", "{}"});
  script.insert({"y", "-"});
  CHECK(script.steps() == "insert t (x {})(x {}); change 0.2; insert t (y -)");
}

TEST_CASE("partitions fold together, as long as their columns stand in the same order") {
  Script script;
  const RowMapping mapping = partitioned(keyed());
  script.table("p1", mapping);
  script.table("p2", mapping);
  script.table("p3", partitioned(table_of({column("a", "text"), key_column("id", "int")})));
  script.remove({"1", "-"}, "p1");
  script.insert({"1", "moved"}, "p2");
  script.insert({"2", "x"}, "p1");
  script.insert({"y", "3"}, "p3");
  script.insert({"4", "z"}, "p1");
  CHECK(script.steps() == "update p1 (1 moved); insert p1 (2 x); insert p3 (y 3); insert p1 (4 z)");
}

TEST_CASE("a relation that changed its shape parts what folds before it from what folds after it") {
  Script script = two_tables();
  script.update({"1", "first", "~"});
  script.alter("t");
  script.update({"1.0", "second", "big"});
  CHECK(script.steps() == "update t (1 first ~); update t (1.0 second big)");
}

TEST_CASE("a table that keeps order is not folded") {
  Script script = two_tables();
  script.keep_order("t");
  script.insert({"1", "x", "y"}, "t");
  script.insert({"1", "x", "y"}, "u");
  script.update({"1", "z", "~"}, "t");
  script.update({"1", "z", "~"}, "u");
  CHECK(script.steps() == "change 0.0; change 0.2; insert u (1 z y)");
}

TEST_CASE("keys of several columns do not run into one another") {
  Script script;
  script.table("t", table_of({key_column("k", "text"), key_column("l", "text")}));
  script.insert({"ab", "c"});
  script.insert({"a", "bc"});
  CHECK(script.steps() == "insert t (ab c)(a bc)");
}

TEST_CASE("sets are cut by rows and by bytes, and a large row is alone") {
  const auto sizes = [](size_t rows, size_t bytes) {
    Script script;
    script.table("t", keyed());
    for (size_t i = 0; i < rows; ++i) {
      script.insert({std::to_string(i), std::string(bytes, 'x')});
    }
    std::string text = script.steps();
    return std::count(text.begin(), text.end(), ';') + 1;
  };
  CHECK(sizes(ChangeSet::kRowsMax, 1) == 1);
  CHECK(sizes(ChangeSet::kRowsMax + 1, 1) == 2);
  CHECK(sizes(4, ChangeSet::kBytesMax / 2 + 1) == 4);
  CHECK(sizes(3, ChangeSet::kBytesMax + 1) == 3);
}
