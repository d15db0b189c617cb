#include "core/schema_portable.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace repld::schema {

namespace {

constexpr std::string_view kPlatformSchemas[] = {
    "auth", "storage", "realtime", "supabase_functions", "vault", "graphql", "graphql_public",
    "net",  "cron",    "pgsodium", "pgbouncer",          "pgmq",  "etl",     "supabase_migrations",
};
constexpr std::string_view kPlatformRoles[] = {"anon", "authenticated", "service_role",
                                               "authenticator", "supabase_auth_admin"};
constexpr std::string_view kUuidFunction = "uuid_generate_v4()";

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || c == '"';
}

bool is_platform_schema(const std::string& name) {
  return std::find(std::begin(kPlatformSchemas), std::end(kPlatformSchemas), name) !=
         std::end(kPlatformSchemas);
}

bool is_platform_role(const std::string& name) {
  return std::find(std::begin(kPlatformRoles), std::end(kPlatformRoles), name) !=
         std::end(kPlatformRoles);
}

using Renames = std::vector<std::pair<std::string, std::string>>;

// Members of extensions that the target has in another schema, as in "extensions.citext" ->
// "public.citext".
Renames moved_members(const Database& source, const Database& target) {
  std::map<std::string, std::string> installed;
  for (const Extension& extension : target.extensions) {
    if (!extension.schema.empty()) {
      installed[extension.name] = extension.schema;
    }
  }
  std::set<std::pair<std::string, std::string>> renames;
  for (const Requirement& need : source.requirements) {
    const auto there = installed.find(need.extension);
    if (need.extension.empty() || there == installed.end() || there->second == need.schema ||
        need.kind == Requirement::Kind::other) {
      continue;
    }
    std::string name = need.name;
    if (need.kind == Requirement::Kind::function) {
      name = name.substr(name.find('.') + 1);
      name = name.substr(0, name.find('('));
    }
    renames.insert({need.schema + "." + name, there->second + "." + name});
  }
  return {renames.begin(), renames.end()};
}

class Adapter {
 public:
  Adapter(Database& schema, Renames renames) : schema_(schema), renames_(std::move(renames)) {
    for (const Table& table : schema.tables) {
      tables_.insert(table.name);
    }
    for (const Function& function : schema.functions) {
      functions_[function.name] = &function;
    }
  }

  std::vector<Finding> run() {
    for (Table& table : schema_.tables) {
      adapt_columns(table);
      adapt_constraints(table);
      adapt_triggers(table);
      adapt_policies(table);
      for (Index& index : table.indexes) {
        index.definition = translated(index.definition);
      }
      grantees_.insert(table.grantees.begin(), table.grantees.end());
    }
    for (Type& type : schema_.types) {
      type.definition = translated(type.definition);
    }
    for (Function& function : schema_.functions) {
      function.definition = translated(function.definition);
    }
    drop_uuid_requirement();
    if (!grantees_.empty()) {
      leave_out("grants", fmt::format("rights of {} are not created", fmt::join(grantees_, ", ")),
                "Roles belong to a server, and the target has others.",
                "Before the cutover grant what the application's own roles need there.");
    }
    return std::move(left_out_);
  }

 private:
  std::string translated(std::string text) const {
    for (const auto& [from, to] : renames_) {
      text = replace_name(text, from, to);
    }
    return without_uuid_extension(std::move(text));
  }

  void leave_out(const char* check, const std::string& what, const std::string& why,
                 const char* action =
                     "If the application relies on it, make what replaces it on the target before "
                     "the cutover; else there is nothing to do.") {
    Finding finding;
    finding.severity = Severity::warning;
    finding.check = check;
    finding.side = Side::target;
    finding.what = what;
    finding.why = why;
    finding.action = action;
    left_out_.push_back(std::move(finding));
  }

  void adapt_columns(Table& table) {
    for (Column& column : table.columns) {
      column.type = translated(column.type);
      if (names_platform(column.expression)) {
        leave_out("default",
                  fmt::format("default of {}.{} is left out", table.name.full(), column.name),
                  fmt::format("It names the source's platform: {}", column.expression));
        column.expression.clear();
        column.generated.clear();
        continue;
      }
      const std::string expression = translated(column.expression);
      if (expression != column.expression &&
          column.expression.find(kUuidFunction) != std::string::npos) {
        leave_out(
            "default",
            fmt::format("default of {}.{} becomes {}", table.name.full(), column.name, expression),
            "It makes the same values without the extension uuid-ossp.", "");
      }
      column.expression = expression;
    }
  }

  void adapt_constraints(Table& table) {
    std::vector<Constraint> kept;
    for (Constraint& constraint : table.constraints) {
      constraint.definition = translated(constraint.definition);
      const std::string name = fmt::format("{} of {}", constraint.name, table.name.full());
      if (constraint.kind == 'f' && tables_.count(constraint.references) == 0) {
        leave_out("foreign_key", fmt::format("foreign key {} is left out", name),
                  fmt::format("{} is not replicated, so its rows may not be on the target.",
                              constraint.references.full()));
      } else if (constraint.kind != 'f' && names_platform(constraint.definition)) {
        leave_out("constraint", fmt::format("constraint {} is left out", name),
                  "It names the source's platform.");
      } else {
        kept.push_back(std::move(constraint));
      }
    }
    table.constraints = std::move(kept);
  }

  // Why the trigger cannot act on another server; empty when it can.
  std::string platform_part_of(const Trigger& trigger) const {
    if (is_platform_schema(trigger.function.schema)) {
      return fmt::format("It calls {}, which belongs to the source's platform.",
                         trigger.function.full());
    }
    const auto function = functions_.find(trigger.function);
    if (function == functions_.end()) {
      return "";  // of an extension or built in
    }
    if (function->second->language != "plpgsql" && function->second->language != "sql") {
      return fmt::format("Its function {} is written in {}.", trigger.function.full(),
                         function->second->language);
    }
    return names_platform(function->second->definition) || names_platform(trigger.definition)
               ? fmt::format("Its function {} uses the source's platform.", trigger.function.full())
               : "";
  }

  void adapt_triggers(Table& table) {
    std::vector<Trigger> kept;
    for (Trigger& trigger : table.triggers) {
      const std::string reason = platform_part_of(trigger);
      if (reason.empty()) {
        trigger.definition = translated(trigger.definition);
        kept.push_back(std::move(trigger));
      } else {
        leave_out("trigger",
                  fmt::format("trigger {} of {} is left out", trigger.name, table.name.full()),
                  reason);
      }
    }
    table.triggers = std::move(kept);
  }

  void adapt_policies(Table& table) {
    std::vector<Policy> kept;
    std::vector<std::string> dropped;
    for (Policy& policy : table.policies) {
      const bool of_platform =
          names_platform(policy.definition) ||
          std::any_of(policy.roles.begin(), policy.roles.end(), is_platform_role);
      if (of_platform) {
        dropped.push_back(policy.name);
      } else {
        kept.push_back(std::move(policy));
      }
    }
    table.policies = std::move(kept);
    if (dropped.empty()) {
      return;
    }
    const bool none_left = table.policies.empty();
    leave_out(
        "policy",
        fmt::format("policies of {} are left out: {}", table.name.full(), fmt::join(dropped, ", ")),
        none_left ? "They name roles or functions of the source's platform; without any "
                    "policy, row level security would hide all rows, so it stays off."
                  : "They name roles or functions of the source's platform.");
    table.row_security = table.row_security && !none_left;
  }

  void drop_uuid_requirement() {
    auto& needs = schema_.requirements;
    const auto of_uuid = [](const Requirement& need) { return need.extension == "uuid-ossp"; };
    const bool only_v4 = std::all_of(needs.begin(), needs.end(), [&](const Requirement& need) {
      return !of_uuid(need) || need.name.find("uuid_generate_v4(") != std::string::npos;
    });
    if (only_v4) {
      needs.erase(std::remove_if(needs.begin(), needs.end(), of_uuid), needs.end());
    }
  }

  Database& schema_;
  const Renames renames_;
  std::set<TableName> tables_;
  std::map<TableName, const Function*> functions_;
  std::set<std::string> grantees_;
  std::vector<Finding> left_out_;
};

}  // namespace

bool names_platform(std::string_view text) {
  for (const std::string_view schema : kPlatformSchemas) {
    const std::string needle = std::string(schema) + ".";
    for (size_t at = text.find(needle); at != std::string_view::npos;
         at = text.find(needle, at + 1)) {
      const bool starts = at == 0 || (!is_name_character(text[at - 1]) && text[at - 1] != '.');
      const size_t next = at + needle.size();
      if (starts && next < text.size() && is_name_character(text[next])) {
        return true;
      }
    }
  }
  return false;
}

std::string without_uuid_extension(std::string text) {
  for (size_t at = text.find(kUuidFunction); at != std::string::npos;
       at = text.find(kUuidFunction)) {
    size_t start = at;
    while (start > 0 && (is_name_character(text[start - 1]) || text[start - 1] == '.')) {
      --start;
    }
    text.replace(start, at + kUuidFunction.size() - start, "gen_random_uuid()");
  }
  return text;
}

std::string replace_name(const std::string& text, const std::string& from, const std::string& to) {
  std::string out;
  size_t done = 0;
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + 1)) {
    const size_t end = at + from.size();
    const bool whole = (at == 0 || !is_name_character(text[at - 1])) &&
                       (end == text.size() || !is_name_character(text[end]));
    if (whole && at >= done) {
      out += text.substr(done, at - done) + to;
      done = end;
    }
  }
  return out + text.substr(done);
}

Portable make_portable(Database source, const Database& target) {
  Portable portable;
  portable.schema = std::move(source);
  portable.left_out = Adapter(portable.schema, moved_members(portable.schema, target)).run();
  return portable;
}

}  // namespace repld::schema
