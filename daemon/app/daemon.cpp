#include "app/daemon.h"

#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/config_file.h"
#include "app/instance_lock.h"
#include "app/primary_file.h"
#include "base/clock.h"
#include "base/logging.h"
#include "base/metrics.h"
#include "control/listener.h"
#include "copy/initial_copy.h"
#include "link/link.h"
#include "verify/healer.h"
#include "verify/make_equal.h"
#include "verify/report.h"
#include "verify/verifier.h"

namespace repld::app {

namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kPublishInterval{200};
constexpr std::chrono::seconds kStopSeconds{25};

pg::Server server_of(const ServerConfig& config, Side side) {
  return {side, config.dsn, resolve_password(config, side), config.password_file};
}

link::Settings settings_of(const Config& config, const InstanceLock& lock) {
  link::Settings settings;
  settings.config = config;
  settings.source = server_of(config.source, Side::source);
  settings.target = server_of(config.target, Side::target);
  settings.instance = lock.name();
  // A mistake ends the start and not the first attempt.
  check_servers(config);
  return settings;
}

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

class Daemon {
 public:
  Daemon(const Config& config, std::string config_path)
      : config_path_(std::move(config_path)),
        config_(config),
        lock_(config.control.socket + ".lock"),
        metrics_(config.link.name),
        link_(settings_of(config, lock_), hooks()),
        verifier_(link_, config.verify),
        healer_(link_),
        port_(control_port()),
        http_(io_, config.http.listen, port_),
        socket_(io_, config.control.socket, port_),
        signals_(io_, SIGTERM, SIGINT),
        reload_signal_(io_, SIGHUP),
        publish_timer_(io_) {
    started_at_ = now_seconds();
    publish();
  }

  int run() {
    signals_.async_wait([this](boost::system::error_code failure, int) {
      if (!failure) {
        spdlog::info("stopping");
        stop();
      }
    });
    reload_at_signal();
    link_.start();
    verifier_.start();
    healer_.start();
    publish_again();
    spdlog::info("repld {} started, http on {}, control socket {}", REPLD_VERSION, http_.address(),
                 config_.control.socket);
    sd_notify(0, "READY=1");
    io_.run();
    if (stopping_.joinable()) {
      stopping_.join();
    }
    return exit_code_;
  }

 private:
  link::Hooks hooks();
  control::ControlPort control_port();
  void execute(const control::CommandRequest& request,
               const std::function<void(control::CommandResult)>& reply);

  // From any thread, with the status as it is after the command.
  void answer(const std::function<void(control::CommandResult)>& reply,
              const control::CommandResult& result) {
    asio::post(io_, [this, reply, result] {
      publish();
      reply(result);
    });
  }

  void reload_at_signal() {
    reload_signal_.async_wait([this](boost::system::error_code failure, int) {
      if (!failure) {
        reload();
        reload_at_signal();
      }
    });
  }

  // A configuration with a mistake changes nothing.
  void reload() {
    sd_notify(0, "RELOADING=1");
    try {
      const Config read = load_config(config_path_);
      const Config before = config_;
      const std::vector<std::string> kept = take_reloadable(read, config_);
      if (!kept.empty()) {
        link_.record("reload", fmt::format("what changed in [{}] needs a restart of the daemon",
                                           fmt::join(kept, "], [")));
      }
      link_.record("reloaded", "the configuration was read again");
      spdlog::set_level(spdlog::level::from_str(config_.log.level));
      if (!same_for_link(before, config_)) {
        link_.reload(config_);
      }
      verifier_.reload(config_.verify);
      publish();
    } catch (const Error& error) {
      link_.record("reload", fmt::format("the configuration is left as it was: {} {} {}",
                                         error.what(), error.detail(), error.hint()));
    }
    sd_notify(0, "READY=1");
  }

  // The configuration moves no group: of one whose tables the link replicates it is the source.
  const char* primary_of(const GroupConfig& group, const LinkStatus& link) const {
    if (group.primary == Side::target && !link.tables_known) {
      return "unknown";
    }
    const bool replicated =
        std::any_of(link.tables.begin(), link.tables.end(), [&](const TableStatus& table) {
          return group_of(config_, table.schema, table.name) == group.name;
        });
    return to_string(replicated ? Side::source : group.primary);
  }

  // The link is stopped on a thread of its own, so that status and health still answer.
  void stop() {
    if (stopping_.joinable()) {
      return;
    }
    sd_notify(0, "STOPPING=1");
    overdue_ = std::make_unique<asio::steady_timer>(io_, kStopSeconds);
    overdue_->async_wait([this](boost::system::error_code failure) {
      if (!failure) {
        spdlog::warn("a server does not answer; leaving without it, nothing is lost by that");
        ::_exit(exit_code_);
      }
    });
    stopping_ = std::thread([this] {
      verifier_.stop();
      healer_.stop();
      asking_.join();
      link_.stop();
      asio::post(io_, [this] { io_.stop(); });
    });
  }

  void publish() {
    auto status = std::make_shared<Status>();
    status->version = REPLD_VERSION;
    status->started_at = started_at_;
    status->at = now_seconds();
    status->http_listen = http_.address();
    status->links.push_back(link_.status());
    status->groups.push_back({"all", "source"});
    for (const GroupConfig& group : config_.groups) {
      status->groups.push_back({group.name, primary_of(group, status->links.back())});
    }
    metrics_.set_from(*status);
    try {
      write_primary_file(config_.control.socket, primary_json(*status));
      unwritten_.clear();
    } catch (const Error& error) {
      if (std::exchange(unwritten_, error.what()) != error.what()) {
        spdlog::warn("{}", error.what());
      }
    }
    published_ = std::move(status);
  }

  void publish_again() {
    publish_timer_.expires_after(kPublishInterval);
    publish_timer_.async_wait([this](boost::system::error_code failure) {
      if (!failure) {
        publish();
        sd_notify(0, "WATCHDOG=1");
        publish_again();
      }
    });
  }

  const std::string config_path_;
  Config config_;  // control thread only
  double started_at_ = 0;
  int exit_code_ = 0;
  std::string unwritten_;  // why primary.json is not written, said once
  asio::io_context io_;
  InstanceLock lock_;
  Metrics metrics_;
  link::Link link_;
  verify::Verifier verifier_;
  verify::Healer healer_;
  asio::thread_pool asking_{1};              // commands that ask a server
  std::shared_ptr<const Status> published_;  // control thread only
  control::ControlPort port_;
  control::HttpListener http_;
  control::SocketListener socket_;
  asio::signal_set signals_;
  asio::signal_set reload_signal_;
  asio::steady_timer publish_timer_;
  std::unique_ptr<asio::steady_timer> overdue_;
  std::thread stopping_;
};

link::Hooks Daemon::hooks() {
  link::Hooks hooks;
  hooks.copy_tables = [this](const link::CopyRequest& request) {
    const link::Settings& settings = link_.settings();
    // First: it may fail, and a copy be in vain.
    if (!request.filled.empty()) {
      verify::make_equal(settings, request);
    }
    const copy::CopyPlan plan = {
        settings.config.link.name,    request.snapshot, request.guard_nonce, request.owner,
        settings.config.copy.workers, request.tables,   request.targets};
    copy::copy_tables(settings.source, settings.target, plan, {request.progress, request.finished},
                      request.stop);
  };
  hooks.rows_applied = [this](const std::string& table, int64_t inserted, int64_t updated,
                              int64_t deleted) {
    metrics_.rows_applied(table, inserted, updated, deleted);
  };
  hooks.batch_applied = [this](int64_t transactions, int64_t rows, double seconds) {
    metrics_.batch_applied(transactions, rows, seconds);
  };
  hooks.rows_drifted = [this](const std::string& table, int64_t missing, int64_t unexpected) {
    metrics_.rows_drifted(table, missing, unexpected);
  };
  hooks.missing = [this] { healer_.wake(); };
  hooks.overtaken = [this] { verifier_.look_again(); };
  hooks.bytes_copied = [this](const std::string& table, int64_t bytes) {
    metrics_.bytes_copied(table, bytes);
  };
  hooks.failed = [this](const Error& error) { metrics_.failed(error); };
  hooks.reconnected = [this](Side side) { metrics_.reconnected(side); };
  hooks.exit = [this](int exit_code) {
    asio::post(io_, [this, exit_code] {
      exit_code_ = exit_code;
      stop();
    });
  };
  return hooks;
}

control::ControlPort Daemon::control_port() {
  control::ControlPort port;
  port.status = [this] { return published_; };
  port.metrics_text = [this] { return metrics_.text(); };
  port.events = [this](int64_t after, size_t limit) { return link_.events_after(after, limit); };
  port.command = [this](const control::CommandRequest& request,
                        const std::function<void(control::CommandResult)>& reply) {
    execute(request, reply);
  };
  return port;
}

// Whoever has an answer and then asks for the status is not told what was before the command.
void Daemon::execute(const control::CommandRequest& request,
                     const std::function<void(control::CommandResult)>& reply) {
  switch (request.command) {
    case control::Command::pause:
      link_.pause();
      publish();
      reply({});
      break;
    case control::Command::resume:
      link_.resume();
      publish();
      reply({});
      break;
    case control::Command::mark:
      link_.mark([reply](std::optional<Lsn> lsn) {
        if (lsn) {
          reply({200, nlohmann::json{{"lsn", to_string(*lsn)}}.dump()});
        } else {
          reply({503, R"({"error":"the source cannot be reached"})"});
        }
      });
      break;
    case control::Command::skip: {
      const std::optional<ErrorStatus> refusal = link_.skip(request.lsn);
      publish();
      reply(refusal ? control::CommandResult{409, failure_json(*refusal)}
                    : control::CommandResult{});
      break;
    }
    case control::Command::verify:
    case control::Command::repair:
      verifier_.ask(task_of(request), request.tables,
                    [this, reply, keys = request.keys](const verify::ProofReport& report) {
                      answer(reply, result_of(report, keys));
                    });
      break;
    case control::Command::resync:
      asio::post(asking_, [this, reply, tables = request.tables] {
        answer(reply, result_of([&] { link_.resync(tables); }));
      });
      break;
    case control::Command::finalize:
    case control::Command::finalize_source_gone:
      link_.finalize(request.command == control::Command::finalize_source_gone,
                     [this, reply](const std::optional<ErrorStatus>& failure,
                                   const std::vector<std::string>& left) {
                       const control::CommandResult result =
                           failure
                               ? control::CommandResult{409, failure_json(*failure)}
                               : control::CommandResult{200, nlohmann::json{{"left", left}}.dump()};
                       answer(reply, result);
                     });
      break;
  }
}

}  // namespace

void check_servers(const Config& config) {
  pg::connection_parameters({Side::source, config.source.dsn, {}}, pg::Purpose::control);
  pg::connection_parameters({Side::target, config.target.dsn, {}}, pg::Purpose::control);
}

int run_daemon(const Config& config, const std::string& config_path) {
  start_logging(config.log);
  warn_of_exposed_passwords(config);
  return Daemon(config, config_path).run();
}

}  // namespace repld::app
