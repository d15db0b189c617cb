# shellcheck shell=bash
# What was measured, as tables and as JSON. Reads $work/results (bench/drain.sh) and
# $work/latencies (bench/latency.sh).
# shellcheck disable=SC2154

describe_run() {
  source_version=$(query source -c 'show server_version')
  target_version=$(query repld -c 'show server_version')
  processors=$(getconf _NPROCESSORS_ONLN)
  note "PostgreSQL $source_version to $target_version, fsync=$fsync, Unix sockets"
  note "$processors CPUs, load of the machine before: $load_before"
  note "pgbench scale $scale; a ratio above 1 means that repld does better"
}

# Speed is worth nothing if the rows are wrong.
check_targets() {
  local system
  contents source >"$work/contents"
  for system in subscription repld; do
    start "$system"
    wait_for_mark "$system" >/dev/null
    if contents "$system" | cmp -s - "$work/contents"; then
      pass "the target of $system equals the source; its tables take $(target_megabytes "$system") MB"
    else
      fail "the target of $system differs from the source"
    fi
  done
}

report() {
  touch "$work/results" "$work/latencies"
  if grep -q '^drain' "$work/results"; then
    heading "TPC-B backlog (4 rows a transaction)"
    report_drain drain 4
  fi
  if grep -q '^bulk' "$work/results"; then
    heading "Backlog of inserts (1,000 rows a transaction)"
    report_drain bulk 5
  fi
  if [ -s "$work/latencies" ]; then
    heading "Commit to visible at $beats_per_second transactions/s, ms"
    report_latency
  fi
}

# report_drain PART
report_drain() {
  awk -v part="$1" '
    function line(label, seconds) {
      printf "   %-16s %12.0f %12.0f %12.0f %12.0f %8.2f\n", label,
        transactions / seconds["subscription"], rows / seconds["subscription"],
        transactions / seconds["repld"], rows / seconds["repld"],
        seconds["subscription"] / seconds["repld"]
    }
    $1 == part {
      round = $2; name = $3; transactions = $4; rows = $5
      time[round, name] = $6
      if (round > rounds) rounds = round
      if (!(name in best) || $6 < best[name]) best[name] = $6
      sender[name] += $8; applier[name] += $9; daemon[name] += $7; total[name] += rows
      if ($10 > peak) peak = $10
    }
    END {
      printf "   %-16s %25s %25s\n", "", "subscription", "repld"
      printf "   %-16s %12s %12s %12s %12s %8s\n", "", "transact./s", "rows/s", "transact./s",
        "rows/s", "ratio"
      for (round = 1; round <= rounds; round++) {
        now["subscription"] = time[round, "subscription"]; now["repld"] = time[round, "repld"]
        line("round " round, now)
      }
      line("best of each", best)
      for (round = 1; round <= rounds; round++)
        ratio[round] = time[round, "subscription"] / time[round, "repld"]
      printf "   %-16s %61.2f\n", "median ratio", median(ratio, rounds)
      printf "\n   CPU seconds per million rows: "
      printf "subscription: source %.1f, target %.1f; ", per_million(sender, "subscription"),
        per_million(applier, "subscription")
      printf "repld: source %.1f, target %.1f, daemon %.1f\n", per_million(sender, "repld"),
        per_million(applier, "repld"), per_million(daemon, "repld")
      printf "   Peak memory of repld: %.1f MB\n", peak / 1024
    }
    function per_million(cpu, name) {return cpu[name] * 1e6 / total[name]}
    function median(list, count, i, j, held) {
      for (i = 2; i <= count; i++)
        for (j = i; j > 1 && list[j] < list[j - 1]; j--) {
          held = list[j]; list[j] = list[j - 1]; list[j - 1] = held
        }
      return count % 2 ? list[(count + 1) / 2] : (list[count / 2] + list[count / 2 + 1]) / 2
    }' "$work/results"
}

report_latency() {
  awk '
    NR == 1 {printf "   %-8s %-13s %8s %8s %8s %8s\n", "round", "", "p50", "p95", "p99", "max"}
    {printf "   %-8s %-13s %8.1f %8.1f %8.1f %8.1f\n", $1, $2, $4, $5, $6, $7
     p50[$1, $2] = $4; p99[$1, $2] = $6; if ($1 > rounds) rounds = $1}
    END {
      for (round = 1; round <= rounds; round++)
        printf "   ratio, round %d: p50 %.2f, p99 %.2f\n", round,
          p50[round, "subscription"] / p50[round, "repld"],
          p99[round, "subscription"] / p99[round, "repld"]
    }' "$work/latencies"
}

write_json() {
  printf '{"source": "%s", "target": "%s", "fsync": "%s", "processors": %s, "load": %s, "scale": %s,\n' \
    "$source_version" "$target_version" "$fsync" "$processors" "$load_before" "$scale"
  printf ' "drains": ['
  awk '{printf "%s\n  {\"part\": \"%s\", \"round\": %d, \"system\": \"%s\", \"transactions\": %d, " \
      "\"rows\": %d, \"seconds\": %.3f, \"repld_cpu_seconds\": %.2f, \"source_cpu_seconds\": %.2f, " \
      "\"target_cpu_seconds\": %.2f, \"repld_peak_kb\": %d}",
      (NR > 1 ? "," : ""), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10}' "$work/results"
  printf '],\n "latencies_ms": ['
  awk '{printf "%s\n  {\"round\": %d, \"system\": \"%s\", \"beats\": %d, \"p50\": %.3f, " \
      "\"p95\": %.3f, \"p99\": %.3f, \"max\": %.3f}",
      (NR > 1 ? "," : ""), $1, $2, $3, $4, $5, $6, $7}' "$work/latencies"
  printf ']}\n'
}
