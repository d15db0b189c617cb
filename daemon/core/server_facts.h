// What one server says of itself and of us, as values for the preflight to judge.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"

namespace repld {

// How we connect, from the DSN.
struct Endpoint {
  std::string host;  // empty: the local socket
  std::string port;
  std::string user;
  std::string sslmode;
  std::string database = {};
};
std::string to_string(const Endpoint& endpoint);  // for a person

// A socket, or this machine itself: nothing could be read on the way there.
bool is_local_host(const std::string& host);

struct Setting {
  std::string value;
  std::string unit;
  std::string origin;  // "default", "configuration file", "database", "user" ...
};

struct Role {
  std::string name;
  bool superuser = false;
  bool replication = false;
  bool bypasses_row_security = false;
  bool creates_roles = false;
  bool creates_databases = false;
  std::vector<std::string> memberships;
  int64_t connection_limit = -1;  // -1: none
};

struct SlotHolder {
  std::string name;
  bool active = false;
  std::string database;
  std::string wal_status;
  int64_t retained_bytes = 0;
};

struct OpenTransaction {
  int pid = 0;      // 0: prepared
  std::string gid;  // of a prepared one
  std::string role;
  int64_t seconds = 0;
  bool superuser = false;  // the role
};

// Something on the server that acts by itself: an event trigger, a publication, a cron job.
struct Actor {
  std::string kind;
  std::string name;
  std::string detail;
};

// A real replication login with a temporary slot.
struct ReplicationTrial {
  bool passed = false;
  std::string sqlstate;
  std::string message;
  std::string hint;  // what a person can do; empty: nothing is known
};

struct ReadOnlyOrigin {
  std::string role;      // empty: for all
  std::string database;  // empty: for all
};

struct ServerFacts {
  Side side = Side::source;
  Endpoint endpoint;
  int version = 0;
  std::string version_text;
  Role role;
  std::vector<std::string> superusers;
  std::string database;
  std::string database_owner;
  bool may_create_schemas = false;  // publications too
  bool has_own_schema = false;      // repld, with the right to make tables in it
  std::string encoding;
  std::string collation;
  std::string character_type;
  std::string locale_provider;  // b: builtin, c: libc, i: ICU
  bool in_recovery = false;
  bool read_only = false;
  std::vector<ReadOnlyOrigin> read_only_origins;
  bool tls = false;
  std::string tls_version;
  std::map<std::string, Setting> settings;
  std::vector<SlotHolder> slots;
  std::vector<OpenTransaction> transactions;  // that a new slot would wait for
  std::vector<Actor> actors;
  int64_t database_connection_limit = -1;  // -1: none
  // Sessions without those of repld: of all, and as the limits of role and database count them.
  int64_t connections = 0;
  int64_t role_connections = 0;
  int64_t database_connections = 0;
  int64_t senders = 0;
  bool may_set_replication_role = false;
  bool may_use_origins = false;
  bool may_signal = false;
  int64_t large_objects = 0;
  ReplicationTrial trial;
  std::string slot_name;  // ours, of the link that streams from this server
  bool publishes = true;  // the link makes a publication on this server, if it is the source

  // A setting's value; empty when the server does not know it.
  std::string setting(const std::string& name) const;
  int64_t number(const std::string& name) const;  // 0 when absent
  // Who may do what only a superuser may.
  std::string superuser() const { return superusers.empty() ? "a superuser" : superusers.front(); }
};

}  // namespace repld
