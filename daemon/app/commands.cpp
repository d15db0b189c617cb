#include "app/commands.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <nlohmann/json.hpp>

#include "app/proofs.h"
#include "core/direction.h"
#include "verify/report.h"

namespace repld::app {

namespace {

constexpr std::chrono::minutes kArmWithin{1};

std::string failure_json(const ErrorStatus& failure) {
  const nlohmann::ordered_json body = {
      {"error", failure.message}, {"detail", failure.detail}, {"hint", failure.hint}};
  return body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

control::CommandResult result_of(const verify::ProofReport& report, bool keys) {
  if (report.failure) {
    return {409, failure_json(*report.failure)};
  }
  if (!report.unknown.empty()) {
    ErrorStatus unknown;
    unknown.message = "no such table in the link";
    unknown.detail = fmt::format("{}", fmt::join(report.unknown, ", "));
    unknown.hint = "replctl tables lists them.";
    return {409, failure_json(unknown)};
  }
  return {200, verify::report_json(report, keys)};
}

// Of what a link is told and answers at once, or refuses.
control::CommandResult result_of(const std::function<void()>& command) {
  try {
    command();
    return {};
  } catch (const Error& error) {
    return {409, failure_json(error_status(error, 0))};
  } catch (const std::exception& failure) {
    return {409, failure_json(error_status(Error(ErrorKind::internal, failure.what()), 0))};
  }
}

verify::Task task_of(const control::CommandRequest& request) {
  if (request.command == control::Command::verify) {
    return verify::Task::verify;
  }
  return request.rehearsed ? verify::Task::rehearse : verify::Task::repair;
}

}  // namespace

void Commands::stop_asking() {
  end_.request_stop();
  asking_.join();
}

void Commands::answer(const Reply& reply, const control::CommandResult& result) {
  boost::asio::post(io_, [this, reply, result] {
    publish_();
    reply(result);
  });
}

// By the name of their link: what was committed before lies below.
void Commands::mark(const Reply& reply) {
  const bool both = !back_.link().is_resting();
  const auto tell = [reply](const nlohmann::json& links, const link::Link& link,
                            std::optional<Lsn> lsn) {
    nlohmann::json all = links;
    if (lsn) {
      all[link.settings().config.link.name] = to_string(*lsn);
    } else {
      reply({503, R"({"error":"a server cannot be reached"})"});
    }
    return all;
  };
  forward_.link().mark([this, both, tell, reply](std::optional<Lsn> lsn) {
    const nlohmann::json links = tell({}, forward_.link(), lsn);
    if (lsn && both) {
      back_.link().mark([this, links, tell, reply](std::optional<Lsn> other) {
        if (const nlohmann::json all = tell(links, back_.link(), other); other) {
          reply({200, nlohmann::json{{"links", all}}.dump()});
        }
      });
    } else if (lsn) {
      reply({200, nlohmann::json{{"links", links}}.dump()});
    }
  });
}

bool Commands::is_idle(const Reply& reply, bool source_gone) {
  const control::CommandResult result = result_of([&] {
    if (source_gone) {
      conductor_.require_none_begun();
    } else {
      conductor_.require_idle();
    }
  });
  if (result.http_status != 200) {
    reply(result);
  }
  return result.http_status == 200;
}

void Commands::skip(Lsn transaction, const Reply& reply) {
  std::optional<ErrorStatus> refusal = forward_.link().skip(transaction);
  if (refusal && !back_.link().is_resting() && !back_.link().skip(transaction)) {
    refusal.reset();
  }
  publish_();
  reply(refusal ? control::CommandResult{409, failure_json(*refusal)} : control::CommandResult{});
}

// Each by the link that has it; what none has, the forward link refuses.
void Commands::resync(const std::vector<std::string>& tables) {
  std::vector<std::string> forward;
  std::vector<std::string> back;
  const LinkStatus status = back_.link().status();
  for (const std::string& name : tables) {
    const bool is_back = std::any_of(
        status.tables.begin(), status.tables.end(),
        [&](const TableStatus& table) { return table.schema + "." + table.name == name; });
    (is_back ? back : forward).push_back(name);
  }
  if (!forward.empty()) {
    forward_.link().resync(forward);
  }
  if (!back.empty()) {
    back_.link().resync(back);
  }
}

// Begun, that is; how it goes is asked for by the number.
void Commands::cut_over(const control::CommandRequest& request, Side to, const Reply& reply) {
  int64_t number = 0;
  control::CommandResult result = result_of([&] {
    number = conductor_.begin({request.group, request.id, to, request.rehearsed,
                               request.without_reverse, request.max_freeze_ms});
  });
  if (result.http_status == 200) {
    result.json = nlohmann::json{{"number", number}}.dump();
  }
  reply(result);
}

// The way back first: it knows by the forward link's state which tables it was armed for.
void Commands::finalize(bool source_gone, const Reply& reply) {
  if (!is_idle(reply, source_gone)) {
    return;
  }
  link::Link& back = back_.link();
  if (back.is_unarmed()) {
    finalize_forward(source_gone, {}, reply);
  } else if (source_gone) {
    const bool armed = !back.is_resting();
    back.give_up();
    const std::string name = slot_name(back.settings().config.link.name);
    finalize_forward(true,
                     armed
                         ? std::vector<std::string>{fmt::format(
                               "slot and publication {} of the target were left: that they are of "
                               "this link was written on the source",
                               name)}
                         : std::vector<std::string>(),
                     reply);
  } else {
    back.finalize(false, [this, reply](const std::optional<ErrorStatus>& failure,
                                       const std::vector<std::string>& left) {
      if (failure) {
        answer(reply, {409, failure_json(*failure)});
      } else {
        finalize_forward(false, left, reply);
      }
    });
  }
}

// `left`: of the way back.
void Commands::finalize_forward(bool source_gone, const std::vector<std::string>& left,
                                const Reply& reply) {
  forward_.link().finalize(
      source_gone, [this, left, reply](const std::optional<ErrorStatus>& failure,
                                       const std::vector<std::string>& more) {
        std::vector<std::string> all = left;
        all.insert(all.end(), more.begin(), more.end());
        if (!failure) {
          conductor_.forget();
        }
        answer(reply, failure ? control::CommandResult{409, failure_json(*failure)}
                              : control::CommandResult{200, nlohmann::json{{"left", all}}.dump()});
      });
}

// Whoever has an answer and then asks for the status is not told what was before the command.
void Commands::execute(const control::CommandRequest& request, const Reply& reply) {
  switch (request.command) {
    case control::Command::pause:
      for_each_link(forward_, back_, [](link::Link& link) { link.pause(); });
      publish_();
      reply({});
      break;
    case control::Command::resume:
      for_each_link(forward_, back_, [](link::Link& link) { link.resume(); });
      publish_();
      reply({});
      break;
    case control::Command::mark: mark(reply); break;
    case control::Command::skip: skip(request.lsn, reply); break;
    case control::Command::verify:
    case control::Command::repair:
      if (task_of(request) == verify::Task::repair && !is_idle(reply)) {
        break;
      }
      ask_both(forward_, back_, task_of(request), request.tables,
               [this, reply, keys = request.keys](const verify::ProofReport& report) {
                 answer(reply, result_of(report, keys));
               });
      break;
    case control::Command::resync:
      if (!is_idle(reply)) {
        break;
      }
      boost::asio::post(asking_, [this, reply, tables = request.tables] {
        answer(reply, result_of([&] { resync(tables); }));
      });
      break;
    case control::Command::arm:
      boost::asio::post(asking_, [this, reply] {
        answer(reply, result_of([&] { back_.link().arm(kArmWithin, end_.get_token()); }));
      });
      break;
    case control::Command::cutover: cut_over(request, Side::target, reply); break;
    case control::Command::rollback: cut_over(request, Side::source, reply); break;
    case control::Command::hook_ran:
      forward_.link().record("hook", request.text);
      reply({});
      break;
    case control::Command::finalize: finalize(false, reply); break;
    case control::Command::finalize_source_gone: finalize(true, reply); break;
  }
}

}  // namespace repld::app
