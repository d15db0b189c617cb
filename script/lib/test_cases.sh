# shellcheck shell=bash
# Runs doctest programs, whole or case by case in parallel. Counts in $cases_run and, by fail(), in
# $failures. That no case ran is a failure: a filter with a slip in it must not look green.

cases_run=0
export LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$PWD/script/lib/leaks.txt:print_suppressions=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
races=halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/script/lib/races.txt
export TSAN_OPTIONS=${TSAN_OPTIONS:-$races}

# run_program PROGRAM [ARGUMENT...]: in one process, its output as it comes.
run_program() {
  local count
  count=$("$@" --count | sed -n 's/.*passing the current filters: //p')
  if [ "${count:-0}" = 0 ]; then
    fail "no test case ran: $*"
    return
  fi
  cases_run=$((cases_run + count))
  if "$@"; then pass "$count cases"; else fail "$*"; fi
}

# run_cases JOBS PROGRAM: each case in a process of its own, so that one that hangs or crashes
# takes no other along. The last come first: the longest are among them. What a case prints is shown
# only when it fails.
run_cases() {
  local jobs=$1 program=$2 logs names number
  mapfile -t names < <("$program" --list-test-cases --no-intro | sed '1,/^====/d; /^====/,$d')
  if [ "${#names[@]}" = 0 ]; then
    fail "no test case ran: $program"
    return
  fi
  logs=$(mktemp -d "${TMPDIR:-/tmp}/repld-test.XXXXXX")
  # shellcheck disable=SC2046
  trap 'kill $(jobs -p) 2>/dev/null; exit 130' INT TERM
  for ((number = ${#names[@]}; number >= 1; number--)); do
    ((${#names[@]} - number < jobs)) || wait -n || true
    run_case "$program" "$number" "${names[number - 1]}" "$logs/$number" &
  done
  wait
  trap - INT TERM
  cases_run=$((cases_run + ${#names[@]}))
  for ((number = 1; number <= ${#names[@]}; number++)); do
    sed -n 's/.*\(SKIPPED.*\)/   \1/p' "$logs/$number"
    [ ! -e "$logs/$number.failed" ] || show_failure "${names[number - 1]}" "$logs/$number"
  done
  rm -rf "$logs"
}

# run_case PROGRAM NUMBER NAME LOG. By number: a name may hold a comma, which parts filters.
run_case() {
  local began=$SECONDS limit=$((2 * ${REPLD_SOAK_SECONDS:-120} + 600)) status=0 line
  timeout --kill-after=10 "$limit" "$1" --first="$2" --last="$2" --duration=true >"$4" 2>&1 &
  # shellcheck disable=SC2064
  trap "kill $! 2>/dev/null" TERM
  wait $! || status=$?
  # With a range doctest counts as passed what it did not run: the line of the case itself tells.
  grep -Fq " s: $3" "$4" || [ "$status" != 0 ] || status="0, but the case did not run"
  line=$(printf '%4d s  %s' $((SECONDS - began)) "$3")
  if [ "$status" = 0 ]; then
    pass "$line"
  else
    echo "$status" >"$4.failed"
    fail "$line"
  fi
}

show_failure() {
  heading "$1"
  tail -n 300 "$2"
  fail "exit $(cat "$2.failed"): $1"
}
