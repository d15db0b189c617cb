#include "control/routes.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

namespace repld::control {

namespace {

constexpr double kMaxLagDefault = 5;
constexpr size_t kEventsMax = 1000;

Response failure(int status, const std::string& text) {
  return {status, "application/json", nlohmann::json{{"error", text}}.dump()};
}

// Value of one query parameter; empty when absent. Values we take need no percent-decoding.
std::string parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) {
      return std::string(pair.substr(equals + 1));
    }
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  return {};
}

template <typename Number>
std::optional<Number> parse(const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && value >= 0 && value <= std::numeric_limits<Number>::max()
             ? std::optional<Number>(value)
             : std::nullopt;
}

Response readyz(const ControlPort& port, std::string_view query) {
  std::string text = parameter(query, "max_lag");
  double max_lag = kMaxLagDefault;
  if (!text.empty()) {
    if (text.back() == 's') {
      text.pop_back();
    }
    const auto parsed = parse<double>(text);
    if (!parsed) {
      return failure(400, "max_lag must be seconds, like 5s");
    }
    max_lag = *parsed;
  }
  const auto reasons = unready_reasons(*port.status(), max_lag);
  const nlohmann::ordered_json body = {{"ready", reasons.empty()}, {"reasons", reasons}};
  return {reasons.empty() ? 200 : 503, "application/json",
          body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)};
}

Response events(const ControlPort& port, std::string_view query) {
  const std::string after = parameter(query, "after");
  const std::string limit = parameter(query, "limit");
  const auto after_id = after.empty() ? 0 : parse<int64_t>(after);
  const auto count = limit.empty() ? kEventsMax : parse<size_t>(limit);
  if (!after_id || !count) {
    return failure(400, "after and limit must be numbers");
  }
  return {200, "application/json", events_json(port.events(*after_id, *count))};
}

Response primary(const ControlPort& port) {
  const std::optional<std::string> sides = primary_json(*port.status());
  return sides ? Response{200, "application/json", *sides}
               : failure(503, "not known until the link has read its state on the target");
}

std::optional<Command> command_of(std::string_view path, std::string_view query) {
  if (path == "/api/v1/pause") return Command::pause;
  if (path == "/api/v1/resume") return Command::resume;
  if (path == "/api/v1/mark") return Command::mark;
  if (path == "/api/v1/skip") return Command::skip;
  if (path == "/api/v1/verify") return Command::verify;
  if (path == "/api/v1/repair") return Command::repair;
  if (path == "/api/v1/resync") return Command::resync;
  if (path == "/api/v1/cutover") return Command::cutover;
  if (path == "/api/v1/rollback") return Command::rollback;
  if (path == "/api/v1/hook") return Command::hook_ran;
  if (path == "/api/v1/arm") return Command::arm;
  if (path == "/api/v1/finalize") {
    return parameter(query, "source_gone") == "true" ? Command::finalize_source_gone
                                                     : Command::finalize;
  }
  return std::nullopt;
}

std::optional<Response> read(const ControlPort& port, Access access, std::string_view path,
                             std::string_view query) {
  if (path == "/metrics") {
    return Response{200, "text/plain; version=0.0.4; charset=utf-8", port.metrics_text()};
  }
  if (path == "/healthz") return Response{200, "application/json", R"({"alive":true})"};
  if (path == "/readyz") return readyz(port, query);
  if (path == "/api/v1/status") {
    return Response{200, "application/json", status_json(*port.status())};
  }
  if (path == "/api/v1/cutover") return Response{200, "application/json", port.cutover()};
  if (path == "/primary") return primary(port);
  if (path == "/api/v1/events" && access == Access::full) return events(port, query);
  return std::nullopt;
}

// {"tables":["public.t"],"keys":true,"dry_run":true,"group":"all","max_freeze_ms":2500 ..}, all
// optional. False when it is something else.
bool read_body(const std::string& body, CommandRequest& command) {
  const auto json = nlohmann::json::parse(body.empty() ? "{}" : body, nullptr, false);
  try {
    command.tables = json.value("tables", std::vector<std::string>());
    command.keys = json.value("keys", false);
    command.rehearsed = json.value("dry_run", false);
    command.group = json.value("group", "all");
    command.id = json.value("id", "");
    command.without_reverse = json.value("without_reverse", false);
    command.max_freeze_ms = json.value("max_freeze_ms", int64_t{0});
    command.text = json.value("text", "");
    return command.max_freeze_ms >= 0;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

void give(const ControlPort& port, Command command, std::string_view query, const std::string& body,
          std::function<void(Response)> reply) {
  const auto lsn = try_parse_lsn(parameter(query, "lsn"));
  if (command == Command::skip && !lsn) {
    reply(failure(400, "lsn must be a position like 16/B374D848"));
    return;
  }
  CommandRequest request;
  request.command = command;
  request.lsn = lsn.value_or(Lsn::invalid);
  if (!read_body(body, request)) {
    reply(failure(400, "the body is not JSON of the kind that is taken here"));
    return;
  }
  port.command(request, [reply = std::move(reply)](CommandResult result) {
    reply({result.http_status, "application/json", std::move(result.json)});
  });
}

}  // namespace

void route(const ControlPort& port, Access access, const Request& request,
           std::function<void(Response)> reply) {
  const std::string_view target = request.target;
  const std::string_view path = target.substr(0, target.find('?'));
  const std::string_view query =
      path.size() == target.size() ? std::string_view() : target.substr(path.size() + 1);
  const auto command = access == Access::full ? command_of(path, query) : std::nullopt;
  if (request.method == "POST" && command) {
    give(port, *command, query, request.body, std::move(reply));
    return;
  }
  const bool reading = request.method == "GET" || request.method == "HEAD";
  const std::optional<Response> found = read(port, access, path, query);
  if (found && reading) {
    reply(*found);
  } else if (found || command) {
    reply(failure(405, "this method is not allowed here"));
  } else {
    reply(failure(404, "there is nothing here"));
  }
}

}  // namespace repld::control
