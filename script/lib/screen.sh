# shellcheck shell=bash
# How script/demo talks: headings, findings, a progress bar; plain text when not on a terminal.

if [ -t 1 ]; then
  bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' dim=$'\e[2m' plain=$'\e[0m' on_terminal=1
else
  bold='' green='' red='' dim='' plain='' on_terminal=''
fi
failures=0

heading() { printf '\n%s== %s%s\n' "$bold" "$1" "$plain"; }
note() { printf '   %s\n' "$1"; }
pass() { printf '   %sok%s  %s\n' "$green" "$plain" "$1"; }
fail() {
  printf '   %sFAILED%s  %s\n' "$red" "$plain" "$1"
  failures=$((failures + 1))
}

# progress DONE TOTAL TEXT: redraws one line on a terminal, else one line per tenth.
progress() {
  local percent=$(($2 > 0 ? $1 * 100 / $2 : 0)) bar
  ((percent > 100)) && percent=100
  if [ -n "$on_terminal" ]; then
    printf -v bar '%*s' $((percent * 2 / 5)) ''
    printf '\r   [%-40s] %3d %%  %s%s%s\e[K' "${bar// /#}" "$percent" "$dim" "$3" "$plain"
  elif [ "${last_tenth:-}" != $((percent / 10)) ]; then
    last_tenth=$((percent / 10))
    printf '   %3d %%  %s\n' "$percent" "$3"
  fi
}
end_progress() {
  last_tenth=''
  [ -z "$on_terminal" ] || printf '\n'
}
