# shellcheck shell=bash
# Installs what is missing with apt and asks nothing. A machine that has everything needs neither
# apt nor root. With REPLD_INSTALL=no nothing is installed: CMake then says what it does not find.
#
# A need is a package, or WHAT:PACKAGE where WHAT is a command or a path (a pattern): what comes
# from elsewhere, such as a newer cmake or npm, is taken as it is.
# shellcheck disable=SC2034
build_needs=(
  c++:g++ cmake:cmake ninja:ninja-build ccache:ccache pkg-config:pkg-config
  doctest-dev libboost-dev libcli11-dev libfmt-dev libpq-dev libpqxx-dev libspdlog-dev
  libsystemd-dev libtomlplusplus-dev nlohmann-json3-dev prometheus-cpp-dev
)
# script/demo takes whatever PostgreSQL there is; the tests want 15.
demo_needs=('/usr/lib/postgresql/*/bin/initdb:postgresql' psql:postgresql-client)
test_needs=(
  /usr/lib/postgresql/15/bin/initdb:postgresql-15 /usr/sbin/pgbouncer:pgbouncer npm:npm
  promtool:prometheus openssl:openssl patch:patch
)
check_needs=(clang-format:clang-format shellcheck:shellcheck systemd-analyze:systemd)
clang_needs=(clang++:clang run-clang-tidy:clang-tidy)

# install_missing NEED...
install_missing() {
  local packages
  [ "${REPLD_INSTALL:-}" != no ] || return 0
  mapfile -t packages < <(missing_packages "$@")
  [ "${#packages[@]}" -gt 0 ] || return 0
  echo "installing ${packages[*]}"
  install_packages "${packages[@]}"
}

missing_packages() {
  local need
  for need in "$@"; do
    case $need in
      /*:*) compgen -G "${need%:*}" >/dev/null || echo "${need##*:}" ;;
      *:*) command -v "${need%:*}" >/dev/null || echo "${need##*:}" ;;
      *) dpkg-query -W -f '${db:Status-Status}\n' "$need" 2>/dev/null | grep -qx installed ||
        echo "$need" ;;
    esac
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 \
    -o DPkg::Lock::Timeout=600 "$@"
}

# In a subshell, for its trap.
install_packages() (
  if ! command -v apt-get >/dev/null; then
    echo "This is neither Debian nor Ubuntu: install the like of $* yourself, then set" \
      "REPLD_INSTALL=no." >&2
    exit 1
  fi
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    echo "Neither root nor sudo here. As root: apt-get install --no-install-recommends $*" >&2
    exit 1
  fi
  [ -z "$(unknown_packages "$@")" ] || apt_get update
  explain_unknown "$@"
  keep_servers_down "$@"
  install="install -y --no-install-recommends"
  # The lists may be older than the archive: once more with new ones.
  # shellcheck disable=SC2086
  apt_get $install "$@" >/dev/null || { apt_get update && apt_get $install "$@" >/dev/null; }
  for package in "$@"; do
    case $package in
      pgbouncer | prometheus) as_root systemctl disable --quiet "$package" 2>/dev/null || true ;;
    esac
  done
)

unknown_packages() {
  local package
  for package in "$@"; do
    apt-cache show "$package" >/dev/null 2>&1 || echo "$package"
  done
}

explain_unknown() {
  local unknown
  unknown=$(unknown_packages "$@" | xargs)
  [ -n "$unknown" ] || return 0
  cat >&2 <<END
$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release) has no package for: $unknown
repld builds from packages alone on Debian 12 and later and on Ubuntu 24.04 and later. Elsewhere
(Ubuntu 22.04 has neither libtomlplusplus-dev nor prometheus-cpp-dev) build and install toml++ 3.3
and prometheus-cpp 1.0 from source, then set REPLD_INSTALL=no. The tests want PostgreSQL 15
itself, which releases other than Debian 12 have in the PostgreSQL project's own archive only.
END
  exit 1
}

# Servers that come with packages are for throw-away use only: none is started, no cluster made.
keep_servers_down() {
  local guard=/usr/sbin/policy-rc.d clusters=/etc/postgresql-common/createcluster.conf
  case " $*" in
    *' postgresql'*)
      if ! [ -e $clusters ]; then
        as_root mkdir -p "${clusters%/*}"
        echo "create_main_cluster = false" | as_root tee $clusters >/dev/null
      fi
      ;;
  esac
  if ! [ -e $guard ]; then
    # shellcheck disable=SC2064
    trap "as_root rm -f $guard" EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee $guard >/dev/null
    as_root chmod 755 $guard
  fi
}
