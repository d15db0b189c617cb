#include "app/daemon.h"

#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <thread>

#include "app/commands.h"
#include "app/config_file.h"
#include "app/instance_lock.h"
#include "app/one_way.h"
#include "app/primary_file.h"
#include "base/clock.h"
#include "base/logging.h"
#include "base/metrics.h"
#include "control/listener.h"
#include "core/direction.h"
#include "cutover/conductor.h"
#include "verify/at_freeze.h"

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

cutover::Prove prepare_proof(link::Link& carrier, const std::vector<TableName>& tables) {
  const auto prover = std::make_shared<verify::FreezeProver>(carrier, tables);
  return [prover](const link::Fence& fence, cutover::Deadline until, const std::stop_token& stop) {
    return prover->prove(fence, until, stop);
  };
}

class Daemon {
 public:
  Daemon(const Config& config, std::string config_path)
      : config_path_(std::move(config_path)),
        config_(config),
        lock_(config.control.socket + ".lock"),
        metrics_(config.link.name),
        forward_(settings_of(config, lock_), metrics_, ending()),
        back_(mirrored(forward_.link().settings()), metrics_, ending(), &forward_),
        conductor_({forward_.link(), back_.link()}, prepare_proof, config,
                   [this] { asio::post(io_, [this] { publish(); }); }),
        commands_(io_, forward_, back_, conductor_, [this] { publish(); }),
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
    forward_.start();
    back_.start();
    conductor_.start();
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
  control::ControlPort control_port();

  OneWay::Exit ending() {
    return [this](int exit_code) {
      asio::post(io_, [this, exit_code] {
        exit_code_ = exit_code;
        stop();
      });
    };
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
        forward_.link().record("reload",
                               fmt::format("what changed in [{}] needs a restart of the daemon",
                                           fmt::join(kept, "], [")));
      }
      forward_.link().record("reloaded", "the configuration was read again");
      spdlog::set_level(spdlog::level::from_str(config_.log.level));
      if (!same_for_link(before, config_)) {
        forward_.link().reload(config_);
        back_.link().reload(repld::mirrored(config_));
      }
      forward_.verifier().reload(config_.verify);
      back_.verifier().reload(config_.verify);
      conductor_.reload(config_);
      publish();
    } catch (const Error& error) {
      forward_.link().record("reload", fmt::format("the configuration is left as it was: {} {} {}",
                                                   error.what(), error.detail(), error.hint()));
    }
    sd_notify(0, "READY=1");
  }

  // The routes say it. Where they do not, or no more, a group whose tables the link brings lives on
  // the source, whatever the configuration says; another where it was last known to.
  std::string primary_of(const GroupConfig& group, const LinkStatus& link,
                         const std::optional<link::Routes>& routes) {
    if (!routes) {
      return "unknown";
    }
    if (routes->count(group.name) > 0) {
      return known_[group.name] = to_string(routes->at(group.name).primary);
    }
    const bool replicated =
        std::any_of(link.tables.begin(), link.tables.end(), [&](const TableStatus& table) {
          return group_of(config_, table.schema, table.name) == group.name;
        });
    if (replicated) {
      return to_string(Side::source);
    }
    if (const auto known = known_.find(group.name); known != known_.end()) {
      return known->second;
    }
    return group.primary == Side::target && !link.tables_known ? "unknown"
                                                               : to_string(group.primary);
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
      commands_.stop_asking();
      conductor_.stop();
      forward_.stop_working();
      back_.stop_working();
      back_.stop();
      forward_.stop();
      asio::post(io_, [this] { io_.stop(); });
    });
  }

  void show_groups(Status& status) {
    const auto routes = conductor_.routes();
    std::vector<GroupConfig> groups = {{"all", {}, Side::source}};
    groups.insert(groups.end(), config_.groups.begin(), config_.groups.end());
    for (const GroupConfig& group : groups) {
      status.groups.push_back({group.name, primary_of(group, status.links.front(), routes)});
    }
  }

  void publish() {
    auto status = std::make_shared<Status>();
    status->version = REPLD_VERSION;
    status->started_at = started_at_;
    status->at = now_seconds();
    status->http_listen = http_.address();
    for_each_link(forward_, back_,
                  [&](link::Link& link) { status->links.push_back(link.status()); });
    show_groups(*status);
    metrics_.set_from(*status);
    if (const auto cutover = conductor_.status()) {
      metrics_.set_cutover(*cutover);
    }
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
  // Primaries by group, of routes that are there or were.
  std::map<std::string, std::string> known_;
  int exit_code_ = 0;
  std::string unwritten_;  // why primary.json is not written, said once
  asio::io_context io_;
  InstanceLock lock_;
  Metrics metrics_;
  OneWay forward_;
  OneWay back_;
  cutover::Conductor conductor_;
  Commands commands_;
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

control::ControlPort Daemon::control_port() {
  control::ControlPort port;
  port.status = [this] { return published_; };
  port.metrics_text = [this] { return metrics_.text(); };
  port.cutover = [this] { return cutover_json(conductor_.status()); };
  port.events = [this](int64_t after, size_t limit) {
    return forward_.link().events_after(after, limit);
  };
  port.command = [this](const control::CommandRequest& request,
                        const std::function<void(control::CommandResult)>& reply) {
    commands_.execute(request, reply);
  };
  return port;
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
