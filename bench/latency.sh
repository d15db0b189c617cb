# shellcheck shell=bash
# Commit to visible: the source commits a row 200 times a second, a session on the target looks
# every millisecond for the newest one that it can see. All servers share one clock.
#
# The moment of the commit is pg_xact_commit_timestamp on the source. The target's commit timestamps
# are of no use here: a subscription stores the source's there, so its latency would always be 0.
# shellcheck disable=SC2154

readonly beats_per_second=200

measure_latency() {
  local round=$1 system
  for system in "${@:2}"; do latency_of; done
}

# Its variables are those of measure_latency. Appends a line to $work/latencies:
# round system beats p50 p95 p99 max, in milliseconds.
latency_of() {
  local beats=$((beats_per_second * 60 / divisor)) first last watcher
  start "$system"
  mark
  wait_for_mark "$system" >/dev/null
  first=$(query source -c "select coalesce(max(id), 0) from bench_beats")
  last=$((first + beats))
  watch_beats "$system" "$first" "$last" >"$work/seen" &
  watcher=$!
  # One client, so that the order of the ids is the order of the commits.
  pgbench -n -c 1 -t "$beats" -R "$beats_per_second" -f bench/beat.pgbench \
    "$(dsn source bench bench)" >"$work/pgbench.out" 2>&1
  wait "$watcher"
  query source -F ' ' -c "select id, extract(epoch from pg_xact_commit_timestamp(xmin))
    from bench_beats where id > $first and id <= $last order by id" >"$work/committed"
  halt "$system"
  local found
  found=$(latencies_ms | sort -n | percentiles)
  echo "$round $system $beats $found" >>"$work/latencies"
  # shellcheck disable=SC2086
  note "$(printf '%-13s p50 %6.1f  p95 %6.1f  p99 %6.1f  max %6.1f ms' "$system" $found)"
}

# watch_beats SYSTEM FIRST LAST: prints "id time" for every new newest row that became visible.
# Each look is a transaction of its own, so no snapshot hinders the system that is measured.
watch_beats() {
  query "$1" -F ' ' <<END
create temporary table seen (id bigint, at numeric);
do \$\$
declare
  ids bigint[] := '{}';
  times numeric[] := '{}';
  before bigint := $2;
  newest bigint;
  deadline timestamptz := clock_timestamp() + interval '5 minutes';
begin
  loop
    select max(id) into newest from bench_beats;
    if newest > before then
      ids := ids || newest;
      times := times || extract(epoch from clock_timestamp());
      before := newest;
    end if;
    exit when newest >= $3 or clock_timestamp() > deadline;
    commit;
    perform pg_sleep(0.001);
    commit;
  end loop;
  insert into seen select * from unnest(ids, times);
end \$\$;
select id, at from seen order by id;
END
}

# latencies_ms: one for each committed row: until the first look that saw it or a later one.
latencies_ms() {
  awk 'NR == FNR {seen_id[NR] = $1; seen_at[NR] = $2; looks = NR; next}
    FNR == 1 {look = 1}
    {while (look <= looks && seen_id[look] < $1) ++look
     if (look > looks) {print "rows never became visible" >"/dev/stderr"; exit 1}
     printf "%.3f\n", (seen_at[look] - $2) * 1000}' "$work/seen" "$work/committed"
}

percentiles() {
  awk '{value[NR] = $1}
    function at(share) {rank = int(NR * share + 0.999999); return value[rank < 1 ? 1 : rank]}
    END {if (NR == 0) exit 1; print at(0.5), at(0.95), at(0.99), value[NR]}'
}
