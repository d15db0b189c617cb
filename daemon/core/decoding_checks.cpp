// Can changes be read from this server's WAL: by repld forward, or on the way back?
#include <fmt/format.h>

#include <algorithm>

#include "core/server_checks.h"
#include "core/sql_text.h"

namespace repld {

namespace {

constexpr int64_t kSmallWalKeepMb = 1024;
constexpr int64_t kDaySeconds = 86'400;
constexpr const char* kWayBack =
    "Nothing is in the way of moving here. But a way back to the source after the cutover reads "
    "the changes from this server's WAL, and could not.";

class DecodingChecks {
 public:
  DecodingChecks(const ServerFacts& facts, std::vector<Finding>& findings)
      : facts_(facts), findings_(findings), forward_(facts.side == Side::source) {}

  void run() {
    check_wal_level();
    check_role();
    check_publication();
    check_slots();
    check_senders();
    check_trial();
    check_transactions();
    if (!forward_) {
      say_way_back();
    }
    if (forward_ || !explained_) {
      check_retention();
    }
  }

 private:
  // What stops the forward link stops on the target only the way back by decoding.
  Finding& refuse(const char* check, std::string what, const std::string& why) {
    explained_ = true;
    return findings_.emplace_back(finding_of(forward_ ? Severity::error : Severity::warning, check,
                                             facts_.side, std::move(what),
                                             forward_ ? why : kWayBack));
  }
  void pass(const char* check, std::string what, std::string why = {}) {
    findings_.push_back(
        finding_of(Severity::ok, check, facts_.side, std::move(what), std::move(why)));
  }

  void check_wal_level() {
    const std::string level = facts_.setting("wal_level");
    if (level == "logical") {
      pass("wal_level", "wal_level is logical");
      return;
    }
    Finding& finding = refuse("wal_level", fmt::format("wal_level is {}, not logical", level),
                              "Changes cannot be decoded from this WAL.");
    finding.sql = "alter system set wal_level = 'logical';";
    finding.role = facts_.superuser();
    finding.effect =
        "The restart ends every session of the server, and what is written later takes somewhat "
        "more WAL.";
    finding.action = "On a managed server set it in the panel. The server has to be restarted.";
  }

  void check_role() {
    if (facts_.role.superuser || facts_.role.replication) {
      return;
    }
    Finding& finding = refuse("replication_role",
                              fmt::format("role {} has no REPLICATION attribute", facts_.role.name),
                              "Only such a role may stream changes.");
    finding.sql = fmt::format("alter role {} replication;", quote_identifier(facts_.role.name));
    finding.role = facts_.superuser();
    finding.effect = fmt::format(
        "Nothing changes for applications, but {} may from then on read what is written to any "
        "database of this server.",
        facts_.role.name);
    finding.action =
        "Where nobody is superuser: use the role that the provider gives it to (on Supabase "
        "postgres), or ask the provider.";
  }

  // On the source it is an error of its own, and on a target that lets us make nothing at all, see
  // core/session_checks.
  void check_publication() {
    if (forward_ || facts_.may_create_schemas || !facts_.has_own_schema) {
      return;
    }
    Finding& finding = refuse("way_back_publication",
                              fmt::format("role {} may not create a publication in database {}",
                                          facts_.role.name, facts_.database),
                              kWayBack);
    finding.sql =
        fmt::format("grant create on database {} to {};", quote_identifier(facts_.database),
                    quote_identifier(facts_.role.name));
    finding.role = facts_.database_owner;
  }

  bool may_drop_slots() const { return facts_.role.superuser || facts_.role.replication; }

  bool has_own_slot() const {
    return std::any_of(facts_.slots.begin(), facts_.slots.end(),
                       [&](const SlotHolder& slot) { return slot.name == facts_.slot_name; });
  }

  void check_slots() {
    const auto limit = static_cast<size_t>(facts_.number("max_replication_slots"));
    std::vector<std::string> holders;
    for (const SlotHolder& slot : facts_.slots) {
      holders.push_back(fmt::format("{} ({}{}, keeps {} MB)", slot.name, slot.database,
                                    slot.active ? "" : ", idle", slot.retained_bytes >> 20));
    }
    const std::string text =
        fmt::format("{} of {} replication slots free{}{}", limit - std::min(limit, holders.size()),
                    limit, holders.empty() ? "" : "; held by ", fmt::join(holders, ", "));
    if (holders.size() < limit || has_own_slot()) {
      pass("slots", text);
      return;
    }
    Finding& finding = refuse("slots", text, "The link needs one of its own.");
    finding.action = "Raise max_replication_slots (restart)";
    for (const SlotHolder& slot : facts_.slots) {
      if (!slot.active) {
        finding.sql = fmt::format("select pg_drop_replication_slot({});", quote_literal(slot.name));
        finding.role = may_drop_slots() ? facts_.role.name : facts_.superuser();
        finding.effect = "What used to read this slot can never go on from where it stood.";
        finding.action += fmt::format(
            ", or drop {} by the SQL, only if nothing is ever to read it again", slot.name);
        break;
      }
    }
    finding.action += ".";
  }

  void check_senders() {
    const int64_t limit = facts_.number("max_wal_senders");
    const std::string text =
        fmt::format("{} of {} WAL senders free", limit - facts_.senders, limit);
    if (facts_.senders < limit || has_own_slot()) {
      pass("senders", text);
      return;
    }
    refuse("senders", text, "The link needs one.").action = "Raise max_wal_senders (restart).";
  }

  void check_trial() {
    const ReplicationTrial& trial = facts_.trial;
    if (trial.passed) {
      pass("replication_login", "a replication login with a temporary slot works");
      return;
    }
    // The causes are named already, or will be; the trial would only repeat them.
    const bool waits = trial.sqlstate == "55P03" && !facts_.transactions.empty();
    if (explained_ || facts_.in_recovery || waits ||
        (has_own_slot() && trial.sqlstate.substr(0, 2) == "53")) {
      return;
    }
    const bool blocked = trial.sqlstate == "55P03";
    Finding& finding = refuse(
        "replication_login", fmt::format("a replication login fails: {}", trial.message),
        blocked ? "The slot waits for transactions that are open." : "The link cannot stream.");
    finding.action = blocked              ? "End the oldest transactions of this server."
                     : trial.hint.empty() ? "Allow it in pg_hba.conf or the panel."
                                          : trial.hint;
  }

  // Any role may end its own sessions, few those of others.
  std::string ending_role(const OpenTransaction& open) const {
    return facts_.may_signal && !open.superuser ? facts_.role.name : open.role;
  }

  void check_transactions() {
    const bool blocked = facts_.trial.sqlstate == "55P03";
    for (const OpenTransaction& open : facts_.transactions) {
      const bool prepared = open.pid == 0;
      Finding finding = finding_of(blocked && forward_ ? Severity::error : Severity::warning,
                                   "transactions", facts_.side,
                                   prepared ? fmt::format("prepared transaction {} of {}, {} s old",
                                                          open.gid, open.role, open.seconds)
                                            : fmt::format("transaction of {} (pid {}), {} s old",
                                                          open.role, open.pid, open.seconds),
                                   "A new slot waits until it has ended.");
      finding.sql = prepared ? fmt::format("rollback prepared {};", quote_literal(open.gid))
                             : fmt::format("select pg_terminate_backend({});", open.pid);
      finding.role = prepared ? open.role : ending_role(open);
      finding.effect = prepared ? "All that this transaction did is undone."
                                : "The session ends, and what its transaction did is undone; its "
                                  "application sees a lost connection.";
      finding.action =
          prepared ? "Or COMMIT PREPARED, as whoever prepared it meant." : "Or wait for its end.";
      findings_.push_back(std::move(finding));
    }
  }

  void say_way_back() {
    const ReplicationTrial& trial = facts_.trial;
    if (explained_) {
      warn("way_back", "the way back cannot be decoded from this server",
           "After a cutover there would be no going back to the source with the rows written here, "
           "unless the provider gives REPLICATION and wal_level = logical.")
          .action = "Settle this before the cutover: afterwards it is too late.";
    } else if (trial.passed) {
      pass("way_back", "the way back can be decoded from this server");
    } else {
      warn("way_back", "whether the way back can be decoded could not be tried",
           trial.message.empty()
               ? "No slot was tried here."
               : fmt::format("A replication login with a temporary slot ended so: {}.",
                             trial.message))
          .action = "Mend the above and run doctor again.";
    }
  }

  // Of the slot that the link holds here, on the target that of the way back.
  void check_retention() {
    const int64_t mb = facts_.number("max_slot_wal_keep_size");
    if (facts_.setting("max_slot_wal_keep_size") == "-1") {
      pass("wal_keep", "max_slot_wal_keep_size is unlimited",
           forward_ ? "While repld is down, WAL piles up on the source's disk."
                    : "While repld is down after a cutover, WAL piles up on the target's disk.");
    } else if (mb >= kSmallWalKeepMb) {
      pass("wal_keep", fmt::format("max_slot_wal_keep_size is {} MB", mb), loss_beyond());
    } else {
      Finding& finding =
          warn("wal_keep", fmt::format("max_slot_wal_keep_size is {} MB", mb), loss_beyond());
      finding.sql = "alter system set max_slot_wal_keep_size = '4GB';\nselect pg_reload_conf();";
      finding.role = facts_.superuser();
      finding.effect =
          "Slots that lag, also those of others, may take up to 4 GB of the server's disk.";
      finding.action =
          "On a managed server set it in the panel or CLI (Supabase: postgres-config update), or "
          "ask the provider.";
    }
    const int64_t idle = facts_.number("idle_replication_slot_timeout");
    if (idle > 0 && idle < kDaySeconds) {
      Finding& finding =
          warn("slot_timeout", fmt::format("idle_replication_slot_timeout is {} s", idle),
               forward_ ? "A slot that repld leaves alone for longer, in an outage, "
                          "is lost."
                        : "After the cutover the slot of the way back is lost in an "
                          "outage of repld that takes longer, and the way back with "
                          "it.");
      finding.sql = "alter system set idle_replication_slot_timeout = 0;\nselect pg_reload_conf();";
      finding.role = facts_.superuser();
      finding.effect =
          "Slots that nobody reads any more, also those of others, keep WAL until they are "
          "dropped.";
      finding.action = "On a managed server set it in the panel, or ask the provider.";
    }
  }

  Finding& warn(const char* check, std::string what, std::string why) {
    return findings_.emplace_back(
        finding_of(Severity::warning, check, facts_.side, std::move(what), std::move(why)));
  }
  const char* loss_beyond() const {
    return forward_ ? "A slot that falls behind by more WAL than this is lost, and the copy starts "
                      "anew."
                    : "After the cutover the slot of the way back is lost when it falls behind by "
                      "more WAL than this, and the way back with it.";
  }

  const ServerFacts& facts_;
  std::vector<Finding>& findings_;
  const bool forward_;
  bool explained_ = false;  // decoding is refused for a reason that was told
};

}  // namespace

void check_decoding(const ServerFacts& facts, std::vector<Finding>& findings) {
  DecodingChecks(facts, findings).run();
}

}  // namespace repld
