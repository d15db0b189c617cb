// What acts on a server besides the application: by itself, at a time, or when something is
// written.
#include <fmt/format.h>

#include <algorithm>

#include "core/server_checks.h"

namespace repld {

namespace {

Finding& add(Severity severity, const char* check, const ServerFacts& facts, std::string what,
             std::string why, std::vector<Finding>& findings) {
  return findings.emplace_back(
      finding_of(severity, check, facts.side, std::move(what), std::move(why)));
}

void check_cron_job(const ServerFacts& facts, const Actor& actor, std::vector<Finding>& findings) {
  const bool source = facts.side == Side::source;
  Finding& finding = add(
      Severity::warning, "actors", facts,
      fmt::format("cron job {} acts on this database ({})", actor.name, actor.detail),
      source
          ? "It goes on after the cutover, when nobody may write to this side any more, and does "
            "not run on the target."
          : "What it writes to replicated tables is refused until the cutover.",
      findings);
  finding.action =
      source ? "At the cutover stop it here (select cron.alter_job(ID, active := false)) and "
               "schedule it on the target, by pg_cron there or by a timer of your own."
             : "See what it writes; if that is replicated, stop it until the cutover: select "
               "cron.alter_job(ID, active := false).";
}

// Where its calls go is not told: headers in its arguments may hold keys.
void check_webhook(const ServerFacts& facts, const Actor& actor, std::vector<Finding>& findings) {
  const bool source = facts.side == Side::source;
  Finding& finding = add(
      Severity::warning, "actors", facts,
      fmt::format("webhook {} of {} calls out over the network", actor.name, actor.detail),
      source ? "It is fired by what is written here. After the cutover the application writes to "
               "the target, where it does not exist."
             : "On a replica triggers are off, so it is not fired twice; after the cutover it "
               "is.",
      findings);
  finding.action =
      source ? "Before the cutover let the application, or something on the target, make these "
               "calls."
             : "See that the source's does not call as well.";
}

void check_unseen_jobs(const ServerFacts& facts, std::vector<Finding>& findings) {
  Finding& finding =
      add(Severity::warning, "actors", facts, "pg_cron is here, and its jobs are not for us to see",
          "A job goes on at its time, whichever side the application writes to.", findings);
  finding.action = "As whoever made them see: select jobname, schedule, command from cron.job.";
}

void check_network(const ServerFacts& facts, const Actor& actor, std::vector<Finding>& findings) {
  Finding& finding =
      add(Severity::warning, "actors", facts,
          fmt::format("{} is here, with which functions and jobs call out over the network",
                      actor.name),
          "No trigger uses it directly; what else does, does not move to the other side by itself.",
          findings);
  finding.action = "Look for net.http_ in functions and jobs that the application relies on.";
}

void check_actor(const ServerFacts& facts, const Actor& actor, std::vector<Finding>& findings) {
  const bool ours = actor.name == facts.slot_name;
  if (actor.kind == "event trigger") {
    add(facts.side == Side::target ? Severity::warning : Severity::ok, "event_trigger", facts,
        fmt::format("event trigger {} fires on {}", actor.name, actor.detail),
        "It fires on our DDL too.", findings);
  } else if (actor.kind == "subscription" && !ours) {
    add(Severity::warning, "actors", facts,
        fmt::format("subscription {} ({}) writes to this database", actor.name, actor.detail),
        facts.side == Side::target ? "What it writes is not on the source."
                                   : "It goes on writing here after the cutover.",
        findings);
  } else if (actor.kind == "publication") {
    add(Severity::ok, "publication", facts,
        fmt::format("publication {}{}", actor.name,
                    ours ? " bears this link's name" : " is left alone"),
        ours ? "" : "What listens to it has to be moved at the cutover.", findings);
  } else if (actor.kind == "cron job") {
    check_cron_job(facts, actor, findings);
  } else if (actor.kind == "webhook") {
    check_webhook(facts, actor, findings);
  } else if (actor.kind == "unseen cron jobs") {
    check_unseen_jobs(facts, findings);
  } else if (actor.kind == "network") {
    check_network(facts, actor, findings);
  }
}

}  // namespace

void check_actors(const ServerFacts& facts, std::vector<Finding>& findings) {
  const bool webhooks = std::any_of(facts.actors.begin(), facts.actors.end(),
                                    [](const Actor& actor) { return actor.kind == "webhook"; });
  for (const Actor& actor : facts.actors) {
    if (actor.kind != "network" || !webhooks) {  // named webhooks say it better
      check_actor(facts, actor, findings);
    }
  }
}

}  // namespace repld
