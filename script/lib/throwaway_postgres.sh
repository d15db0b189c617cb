# shellcheck shell=bash
# Throw-away PostgreSQL clusters below $work, reached by Unix socket only: no port is taken.
# PostgreSQL refuses to run as root, so it runs as user postgres then. The caller sets $work and
# clusters=().
# shellcheck disable=SC2154

pg_bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)

as_postgres() {
  if [ "$(id -u)" = 0 ]; then
    (cd / && runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

# start_cluster NAME [SETTING=VALUE...]: superuser "admin", which only sets things up.
start_cluster() {
  local name=$1 settings='' setting
  shift
  for setting in "$@"; do settings+=" -c $setting"; done
  as_postgres mkdir "$work/$name"
  as_postgres "$pg_bin/initdb" -D "$work/$name/data" -U admin -A trust -E UTF8 \
    --locale=C --no-sync >"$work/$name.initdb.log"
  # What the data is worth allows fsync=off: nothing here outlives the demo.
  as_postgres "$pg_bin/pg_ctl" -D "$work/$name/data" -l "$work/$name/log" -w -s start -o \
    "-k $work/$name -p 5432 -c listen_addresses= -c fsync=off -c timezone=UTC$settings"
  clusters+=("$name")
}

stop_cluster() { as_postgres "$pg_bin/pg_ctl" -D "$work/$1/data" -m immediate -s stop; }

dsn() { echo "host=$work/$1 port=5432 dbname=${3:-salon} user=${2:-salon}"; }
sql() { psql -XqAt -v ON_ERROR_STOP=1 -d "$(dsn "$1")" "${@:2}"; }
