// Wires everything together: configuration in, one link with its threads, the HTTP and control
// listeners on this thread, signals, systemd.
//
// Start: lock of the installation, metrics, listeners, link, verifier. SIGHUP reads the
// configuration again. Stop (SIGTERM, SIGINT): the link makes durable what it has sent, then the
// listeners go. Whatever hangs, the process is gone within kStopSeconds: a kill at any point loses
// nothing, so there is nothing to wait for longer.
#pragma once

#include <string>

#include "core/config.h"

namespace repld::app {

// What can be wrong with how the servers are named; not with the passwords, which may be readable
// for the daemon only. Throws Error(config).
void check_servers(const Config& config);

// Runs until stopped; returns the process's exit code. Throws Error before anything runs.
// `config_path`: where the configuration came from, to be read again at SIGHUP.
int run_daemon(const Config& config, const std::string& config_path);

}  // namespace repld::app
