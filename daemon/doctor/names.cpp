#include "doctor/names.h"

#include <optional>

#include "core/server_checks.h"
#include "core/sql_text.h"
#include "embedded_sql.h"
#include "stream/existing_publications.h"
#include "stream/publication.h"
#include "stream/slot.h"

namespace repld::doctor {

namespace {

// By which a link that has begun knows its own; nothing: it has not.
std::optional<std::string> read_nonce(pg::Session& target, const std::string& link) {
  if (target.exec("select to_regclass('repld.progress')")[0][0].is_null()) {
    return std::nullopt;
  }
  const auto rows =
      target.exec_params("select guard_nonce from repld.progress where link = $1", link);
  return rows.empty() ? std::nullopt : std::optional<std::string>(rows[0][0].c_str());
}

// Us, unless the publication is somebody else's or the slot not ours to drop.
std::string freeing_role(pg::Session& source, const std::string& publication, bool drops_slot) {
  return source
      .exec_params(
          "select case when r.rolsuper or ((r.rolreplication or not $2::boolean) and not exists "
          "(select from pg_publication p where p.pubname = $1 and not pg_has_role(p.pubowner, "
          "'usage'))) "
          "then r.rolname else (select rolname from pg_roles where rolsuper order by oid limit 1) "
          "end from pg_roles r where r.rolname = current_user",
          publication, drops_slot)[0][0]
      .c_str();
}

// Only what a session of this database can drop.
void offer_freeing(pg::Session& source, const stream::PublicationId& id, Finding& finding) {
  const auto slot = stream::read_slot(source, id.name);
  const bool drops_slot = slot && slot->here;
  std::string sql = drops_slot ? stream::drop_slot_statement(id.name) + ";" : "";
  const auto state = source.exec_params(std::string(sql::kPublicationState), id.name, id.mark);
  if (!state.empty() && !state[0][0].as<bool>()) {
    sql +=
        (sql.empty() ? "" : "\n") + fmt::format("drop publication {};", quote_identifier(id.name));
  }
  if (!sql.empty()) {
    finding.sql = sql;
    finding.role = freeing_role(source, id.name, drops_slot);
    finding.effect = "What reads from it, if anything does, stops and can never go on.";
  }
}

}  // namespace

std::vector<Finding> check_names(const Config& config, pg::Session& source, pg::Session& target) {
  const std::optional<std::string> nonce = read_nonce(target, config.link.name);
  const stream::PublicationId id =
      stream::publication_id("repld_" + config.link.name, config.link.name, nonce.value_or(""));
  try {
    if (config.link.create_publication) {
      stream::require_name(source, id);
    } else if (!nonce) {
      stream::SlotClaim claim;
      claim.name = id.name;
      stream::require_slot_name(source, claim);
    }
    return {};
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::refused) {
      throw;
    }
    Finding finding = finding_of(Severity::error, "name", Side::source, error.what(),
                                 "The link would take it for its own, so it is never touched.");
    if (config.link.create_publication) {
      offer_freeing(source, id, finding);
    }
    finding.action =
        "Choose another link.name. Only if nothing uses it any more, drop it, in the database that "
        "it belongs to.";
    return {finding};
  }
}

}  // namespace repld::doctor
