#!/bin/sh
# use-primary.sh ENV_FILE PM2_APP...: points applications at the side that is written now.
#
# For [cutover] after_flip and after_rollback of repld.toml; replctl runs it as whoever typed the
# command. Sets USE_LEGACY_SUPABASE in the applications' environment file and restarts them, one
# after the other, so that they read it. Without REPLD_PRIMARY, as under repld-primary.path, it reads
# the daemon's primary.json, of group all.
set -eu

if [ -z "${REPLD_PRIMARY:-}" ]; then
  REPLD_PRIMARY=$(sed -n 's/.*"all":"\([a-z]*\)".*/\1/p' /run/repld/primary.json)
fi

env_file=$1
shift
case "$REPLD_PRIMARY" in
  source) legacy=true ;;
  target) legacy=false ;;
  *) echo "REPLD_PRIMARY is neither source nor target" >&2; exit 2 ;;
esac

fresh=$(mktemp "$env_file.XXXXXX")
trap 'rm -f "$fresh"' EXIT
cp -p "$env_file" "$fresh"
{
  grep -v '^USE_LEGACY_SUPABASE=' "$env_file" || true
  echo "USE_LEGACY_SUPABASE=$legacy"
} >"$fresh"
mv "$fresh" "$env_file"

for application in "$@"; do
  pm2 restart "$application" --update-env
done
