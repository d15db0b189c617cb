// What tables stand on: schemas, extensions, types, functions, sequences.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/schema_compare.h"
#include "core/schema_essence.h"
#include "core/sql_text.h"

namespace repld::schema {

namespace {

class SurroundingsComparison {
 public:
  SurroundingsComparison(const Database& source, const Database& target,
                         std::vector<Change>& changes)
      : source_(source), target_(target), changes_(changes) {}

  void run() {
    for (const Requirement& need : source_.requirements) {
      if (!need.extension.empty()) {
        extensions_.insert({need.extension, need.extension_schema});
      }
    }
    for (const auto& [name, home] : extensions_) {
      compare_extension(name, home);
    }
    for (const Type& type : source_.types) {
      if (needs(Requirement::Kind::type, type.name.schema, type.name.name)) {
        compare_type(type);
      }
    }
    for (const Function& function : source_.functions) {
      if (needs_function(function)) {
        compare_function(function);
      }
    }
    for (const Sequence& sequence : source_.sequences) {
      if (sequence.used) {
        compare_sequence(sequence);
      }
    }
    for (const Table& table : source_.tables) {
      schemas_.insert(table.name.schema);
      create_in_ |= target_.find_table(table.name) == nullptr;
    }
    for (const std::string& schema : schemas_) {
      compare_schema(schema);
    }
  }

 private:
  bool needs(Requirement::Kind kind, const std::string& schema, const std::string& name) const {
    return std::any_of(source_.requirements.begin(), source_.requirements.end(),
                       [&](const Requirement& need) {
                         return need.kind == kind && need.extension.empty() &&
                                need.schema == schema && need.name == name;
                       });
  }

  // Triggers that stay behind leave their functions behind.
  bool needs_function(const Function& function) const {
    if (!needs(Requirement::Kind::function, function.name.schema, function.signature)) {
      return false;
    }
    if (function.definition.find("RETURNS trigger") == std::string::npos) {
      return true;
    }
    for (const Table& table : source_.tables) {
      for (const Trigger& trigger : table.triggers) {
        if (trigger.function == function.name) {
          return true;
        }
      }
    }
    return false;
  }

  void add(Severity severity, const char* check, const std::string& what, const std::string& why,
           std::vector<Statement> statements) {
    changes_.push_back(change_of(severity, check, what, why, std::move(statements), target_.user));
  }
  Finding& last() { return changes_.back().finding; }

  void compare_schema(const std::string& schema) {
    const auto found = std::find_if(target_.namespaces.begin(), target_.namespaces.end(),
                                    [&](const Namespace& each) { return each.name == schema; });
    if (found == target_.namespaces.end()) {
      add(Severity::error, "schema", fmt::format("schema {} is missing", schema),
          "Tables of it are to be replicated, or types and functions that they need.",
          {{Phase::schema, "create schema " + quote_identifier(schema)}});
      return;
    }
    if (found->usage && (found->create || !create_in_)) {
      return;
    }
    changes_.push_back(change_of(
        Severity::error, "schema",
        fmt::format("schema {} does not let {} {}", schema, target_.user,
                    found->usage ? "create tables" : "use its tables"),
        "Tables of it are to be replicated.",
        {{Phase::schema, fmt::format("grant usage, create on schema {} to {}",
                                     quote_identifier(schema), quote_identifier(target_.user))}},
        found->owner == "pg_database_owner" ? target_.owner : found->owner));
    changes_.back().in_script = false;
  }

  void compare_extension(const std::string& name, const std::string& home) {
    const auto found = std::find_if(target_.extensions.begin(), target_.extensions.end(),
                                    [&](const Extension& each) { return each.name == name; });
    if (found == target_.extensions.end()) {
      add(Severity::error, "extension", fmt::format("extension {} is not available", name),
          "Columns, defaults or indexes need it.", {});
      last().action = "Ask the provider for it, or change those columns on the source first.";
    } else if (found->schema.empty()) {
      if (home != "public" && home != "pg_catalog") {
        schemas_.insert(home);
      }
      add(Severity::error, "extension", fmt::format("extension {} is missing", name),
          "Columns, defaults or indexes need it.",
          {{Phase::extension, fmt::format("create extension {} schema {}", quote_identifier(name),
                                          quote_identifier(home))}});
      if (!found->trusted) {
        changes_.back().in_script = target_.user == target_.superuser;
        last().role = target_.superuser;
        last().action =
            "Only a superuser may create it: on a managed server use the provider's panel.";
      }
    }
  }

  void compare_type(const Type& type) {
    schemas_.insert(type.name.schema);
    const auto found = std::find_if(target_.types.begin(), target_.types.end(),
                                    [&](const Type& each) { return each.name == type.name; });
    if (found == target_.types.end()) {
      add(Severity::error, "type", fmt::format("type {} is missing", type.name.full()),
          "Columns have it.", {{Phase::type, type.definition}});
      create_in_ = true;
    } else if (type.kind == 'e' && found->kind == 'e') {
      compare_labels(type, *found);
    } else if (essence_of(found->definition) != essence_of(type.definition)) {
      add(Severity::warning, "type", fmt::format("type {} is not the source's", type.name.full()),
          fmt::format("Source: {}; target: {}", type.definition, found->definition), {});
      last().action = "Change it by ALTER DOMAIN or ALTER TYPE, or drop it and run doctor again.";
    }
  }

  void compare_labels(const Type& want, const Type& have) {
    std::vector<Statement> statements;
    std::string before;
    for (const std::string& label : want.labels) {
      if (std::find(have.labels.begin(), have.labels.end(), label) == have.labels.end()) {
        const bool first = before.empty();
        const std::string place = !first ? " after " + quote_literal(before)
                                  : have.labels.empty()
                                      ? ""
                                      : " before " + quote_literal(have.labels.front());
        statements.push_back(
            {Phase::type, fmt::format("alter type {} add value {}{}", quoted(want.name),
                                      quote_literal(label), place)});
      }
      before = label;
    }
    if (!statements.empty()) {
      add(Severity::error, "type", fmt::format("type {} lacks values", want.name.full()),
          "Rows with them would be refused.", std::move(statements));
    }
  }

  void compare_function(const Function& function) {
    const auto found =
        std::find_if(target_.functions.begin(), target_.functions.end(),
                     [&](const Function& each) { return each.signature == function.signature; });
    if (found == target_.functions.end()) {
      schemas_.insert(function.name.schema);
      create_in_ = true;
      add(Severity::warning, "function", fmt::format("function {} is missing", function.signature),
          "Triggers, defaults or checks call it.", {{Phase::function, function.definition}});
      if (function.language != "plpgsql" && function.language != "sql") {
        last().action = fmt::format("It is written in {}, which may need rights or an extension.",
                                    function.language);
      }
    } else if (found->definition != function.definition) {
      add(Severity::warning, "function",
          fmt::format("function {} is not the source's", function.signature),
          "After the cutover it would act otherwise.", {});
      last().action = "Compare the two; what is on the target is left as it is.";
    }
  }

  void compare_sequence(const Sequence& sequence) {
    const auto found =
        std::find_if(target_.sequences.begin(), target_.sequences.end(),
                     [&](const Sequence& each) { return each.name == sequence.name; });
    if (found == target_.sequences.end()) {
      schemas_.insert(sequence.name.schema);
      create_in_ = true;
      add(Severity::warning, "sequence",
          fmt::format("sequence {} is missing", sequence.name.full()),
          "After the cutover new rows would get no number.", create_sequence(sequence));
    } else if (found->options != sequence.options) {
      add(Severity::warning, "sequence",
          fmt::format("sequence {} counts otherwise", sequence.name.full()),
          fmt::format("Source: {}; target: {}", sequence.options, found->options),
          {{Phase::sequence,
            fmt::format("alter sequence {} {}", quoted(sequence.name), sequence.options),
            "Numbers that applications of the target take from it follow other steps or bounds "
            "from then on, which may lie below those that are used."}});
    }
  }

  const Database& source_;
  const Database& target_;
  std::vector<Change>& changes_;
  std::set<std::pair<std::string, std::string>> extensions_;
  std::set<std::string> schemas_;
  bool create_in_ = false;  // something will be created
};

}  // namespace

void compare_surroundings(const Database& source, const Database& target,
                          std::vector<Change>& changes) {
  SurroundingsComparison(source, target, changes).run();
}

}  // namespace repld::schema
