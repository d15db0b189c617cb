# shellcheck shell=bash
# Drain rate: both systems are halted, the source gets a backlog, then each drains it alone.
# shellcheck disable=SC2154

# measure_drain ROUND FIRST SECOND: TPC-B, three updates and one insert a transaction.
measure_drain() {
  local transactions=$((100000 / divisor))
  pgbench_on_source -c 4 -j 2 -t $((transactions / 4))
  drain_each drain "$1" "$transactions" $((transactions * 4)) "${@:2}"
}

# measure_bulk ROUND FIRST SECOND: a thousand inserted rows a transaction.
measure_bulk() {
  local transactions=$((2000 / divisor))
  pgbench_on_source -c 2 -j 2 -t $((transactions / 2)) -f bench/bulk.pgbench
  drain_each bulk "$1" "$transactions" $((transactions * 1000)) "${@:2}"
}

# drain_each PART ROUND TRANSACTIONS ROWS SYSTEM...
drain_each() {
  local part=$1 round=$2 transactions=$3 rows=$4 system
  shift 4
  mark
  for system in "$@"; do drain_one; done
}

# Appends a line to $work/results: part round system transactions rows seconds, then CPU seconds
# of repld, of the process that sends on the source and of the one that applies on the target,
# then repld's peak memory in kB. Its variables are those of drain_each.
drain_one() {
  local began ended seconds sender applier repld_before sender_cpu applier_cpu repld_cpu=0 peak_kb=0
  quieten source
  quieten "$system"
  repld_before=$(cpu_seconds "$repld_pid")
  forget_peak_rss "$repld_pid"
  began=$EPOCHREALTIME
  start "$system"
  ended=$(wait_for_mark "$system")
  sender=$(sender_pid "$system") applier=$(apply_pid "$system")
  # Both processes began with the drain, so what they have used is what it took.
  sender_cpu=$(cpu_seconds "$sender") applier_cpu=$(cpu_seconds "$applier")
  if [ "$system" = repld ]; then
    repld_cpu=$(subtract "$(cpu_seconds "$repld_pid")" "$repld_before")
    peak_kb=$(peak_rss_kb "$repld_pid")
  fi
  halt "$system"
  seconds=$(subtract "$ended" "$began")
  echo "$part $round $system $transactions $rows $seconds $repld_cpu $sender_cpu $applier_cpu" \
    "$peak_kb" >>"$work/results"
  note "$(awk -v name="$system" -v rows="$rows" -v transactions="$transactions" \
    -v seconds="$seconds" 'BEGIN {
      printf "%-13s %7.2f s  %8.0f transactions/s  %9.0f rows/s",
        name, seconds, transactions / seconds, rows / seconds}')"
}
