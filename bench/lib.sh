# shellcheck shell=bash
# The servers and the two systems under test. A system is named like the cluster it fills:
# "subscription" (PostgreSQL's own) or "repld". Everything lives below $work.
#
# Reads $bin, $fsync, $scale, $work; sets $source_bin and $target_bin.
# shellcheck disable=SC2154

tables=(pgbench_accounts pgbench_branches pgbench_tellers pgbench_history bench_rows bench_beats
  bench_marks)

slot_of() { case $1 in subscription) echo bench ;; repld) echo repld_bench ;; esac; }

# choose_servers [SOURCE:TARGET]
choose_servers() {
  source_bin=$pg_bin target_bin=$pg_bin
  if [ -n "$1" ]; then
    source_bin=$(server_bin "${1%%:*}") target_bin=$(server_bin "${1##*:}")
  fi
  local place
  for place in "$source_bin" "$target_bin"; do
    [ -x "$place/postgres" ] || {
      fail "no PostgreSQL server in '$place': see script/install-postgres"
      exit 1
    }
  done
}

server_bin() {
  local cache=${REPLD_CACHE:-$HOME/.cache/repld}
  [ -n "${REPLD_CACHE:-}" ] || [ "$(id -u)" != 0 ] || cache=/var/cache/repld
  if [ -d "/usr/lib/postgresql/$1/bin" ]; then
    echo "/usr/lib/postgresql/$1/bin"
  else
    echo "$cache/postgresql-$1/bin"
  fi
}

clean_up() {
  local status=$? name
  trap - EXIT
  if [ "$status" -ne 0 ] && [ -f "$work/repld.log" ]; then
    printf '\nLast lines of repld:\n'
    tail -n 15 "$work/repld.log"
  fi
  if [ -n "$repld_pid" ]; then
    kill "$repld_pid" 2>/dev/null || true
    wait "$repld_pid" 2>/dev/null || true
  fi
  for name in "${clusters[@]}"; do stop_cluster "$name" || true; done
  rm -rf "$work"
  exit "$status"
}

# query SIDE PSQL-ARGUMENT...: as the owner of the tables; admin_query as superuser.
query() { psql -XqAt -v ON_ERROR_STOP=1 -d "$(dsn "$1" bench bench)" "${@:2}"; }
admin_query() {
  PGOPTIONS='-c client_min_messages=warning' psql -XqAt -v ON_ERROR_STOP=1 \
    -d "$(dsn "$1" admin "${3:-bench}")" -c "$2"
}
replctl() { "$bin/replctl" --socket "$work/control.sock" "$@"; }

# pgbench_on_source ARGUMENT...: without waiting for the disk, which is not what is measured.
pgbench_on_source() {
  PGOPTIONS='-c synchronous_commit=off' pgbench -n "$@" "$(dsn source bench bench)" \
    >"$work/pgbench.out" 2>&1 || { cat "$work/pgbench.out" >&2; return 1; }
}

start_pair() {
  local side
  # All three alike. Checkpoints and vacuum come before what is measured, not into it; without
  # the retry interval a subscription may idle up to 5 s before it starts.
  local settings=("fsync=$fsync" shared_buffers=512MB max_wal_size=8GB checkpoint_timeout=30min
    autovacuum=off track_commit_timestamp=on wal_retrieve_retry_interval=100ms)
  pg_bin=$source_bin start_cluster source wal_level=logical "${settings[@]}"
  pg_bin=$target_bin start_cluster subscription "${settings[@]}"
  pg_bin=$target_bin start_cluster repld "${settings[@]}"
  for side in source subscription repld; do
    admin_query "$side" "create role bench login replication" postgres
    admin_query "$side" "create database bench owner bench" postgres
    pgbench -q -i -I "$([ "$side" = source ] && echo dtgp || echo dtp)" -s "$scale" \
      "$(dsn "$side" bench bench)" 2>/dev/null
    query "$side" -f bench/schema.sql
  done
  admin_query source "create publication bench for table $(IFS=,; echo "${tables[*]}")"
  admin_query subscription "create subscription bench connection '$(dsn source bench bench)'
    publication bench"
  start_repld
  mark
  wait_for_mark subscription >/dev/null
  wait_for_mark repld >/dev/null
  halt subscription
  halt repld
}

start_repld() {
  cat >"$work/repld.toml" <<END
[source]
dsn = "$(dsn source bench bench)"
[target]
dsn = "$(dsn repld bench bench)"
[link]
name = "bench"
[http]
listen = "127.0.0.1:0"
[control]
socket = "$work/control.sock"
END
  "$bin/repld" --config "$work/repld.toml" 2>>"$work/repld.log" &
  repld_pid=$!
  replctl status --wait-for copied --timeout 5m >/dev/null
}

# start SYSTEM lets it apply, halt SYSTEM stops it; its slot on the source keeps the WAL meanwhile.
start() {
  case $1 in
    subscription) admin_query subscription "alter subscription bench enable" ;;
    repld) replctl resume >/dev/null ;;
  esac
}
halt() {
  case $1 in
    subscription) admin_query subscription "alter subscription bench disable" ;;
    repld) replctl pause >/dev/null ;;
  esac
  local tries
  for ((tries = 0; tries < 200; tries++)); do
    [ "$(query source -c "select active from pg_replication_slots
      where slot_name = '$(slot_of "$1")'")" = t ] || return 0
    sleep 0.1
  done
  fail "$1 does not let go of its slot"
  return 1
}

# mark commits a row on the source, after everything so far.
mark() {
  last_mark=$((last_mark + 1))
  query source -c "insert into bench_marks values ($last_mark)"
}

# wait_for_mark SYSTEM: prints when (seconds since 1970) its target first showed the last mark.
# One session asks every 50 ms; it holds no snapshot in between.
wait_for_mark() {
  local line deadline=$((SECONDS + 900))
  while read -r line; do
    [ -z "$line" ] || { echo "$line"; return 0; }
    ((SECONDS < deadline)) || { fail "$1 has not caught up within 15 minutes" >&2; return 1; }
    [ "$1" != repld ] || check_repld || return 1
  done < <(printf '%s \\watch 0.05\n' "select extract(epoch from clock_timestamp())
      from bench_marks where id = $last_mark" | tr '\n' ' ' |
    psql -XqAt -d "$(dsn "$1" bench bench)" 2>&1)
  fail "the target of $1 is gone" >&2
  return 1
}

# check_repld: fails when it has ended, or stopped at an error.
check_repld() {
  kill -0 "$repld_pid" 2>/dev/null || { fail "repld has ended" >&2; return 1; }
  ((SECONDS % 10)) || [ "${checked_at:-}" = "$SECONDS" ] || {
    checked_at=$SECONDS
    if replctl status | grep -qE '^link bench: (paused|slot_lost)'; then
      replctl status >&2
      fail "repld has stopped" >&2
      return 1
    fi
  }
}

# quieten SIDE: leaves nothing for later that could fall into what is measured.
quieten() {
  admin_query "$1" "vacuum analyze"
  admin_query "$1" checkpoint
}

# Counts and hashes of all rows on one side, a line a table.
contents() {
  local table
  for table in "${tables[@]}"; do
    query "$1" -c "select '$table', count(*), sum(hashtextextended(t::text, 0)) from $table t"
  done
}
target_megabytes() {
  query "$1" -c "select pg_total_relation_size(oid) from pg_class
      where relname in ('${tables[0]}'$(printf ", '%s'" "${tables[@]:1}"))" |
    awk '{sum += $1} END {printf "%.0f", sum / 1048576}'
}

# Processes that work for a system while it streams.
sender_pid() {
  query source -c "select active_pid from pg_replication_slots
    where slot_name = '$(slot_of "$1")'"
}
apply_pid() {
  case $1 in
    subscription)
      query subscription -c "select pid from pg_stat_subscription
        where subname = 'bench' and relid is null" ;;
    repld) query repld -c "select owner_pid from repld.progress where link = 'bench'" ;;
  esac
}

# cpu_seconds PID: user and system time so far.
cpu_seconds() {
  local stat
  stat=$(<"/proc/$1/stat")
  # The name, in parentheses, may hold spaces; what follows are fields 3 and up.
  awk -v hertz="$(getconf CLK_TCK)" '{printf "%.2f", ($12 + $13) / hertz}' <<<"${stat##*) }"
}
peak_rss_kb() { awk '/^VmHWM/ {print $2}' "/proc/$1/status"; }
# Writing 5 there starts the peak afresh.
forget_peak_rss() { echo 5 >"/proc/$1/clear_refs"; }

subtract() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.3f", a - b}'; }
