#!/usr/bin/env bash
# A 1 KB exchange, not streamed: straight to a fake upstream, through nginx proxy_pass, and through aiproxy, in alternating rounds of one run.
# Then the binary's size, its start, its memory. Needs nginx and wrk; installs nothing, writes to a temp folder only.
#   SECONDS_PER_ROUND=4 ROUNDS=3 CONNECTIONS=32 AIPROXY_BINARY=./aiproxy tests/bench/exchange.sh
# Both proxies run without a log line a request; LOG_REQUESTS=true gives aiproxy its usual one.
set -u
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need nginx:nginx wrk:wrk awk:mawk

seconds=${SECONDS_PER_ROUND:-4}
rounds=${ROUNDS:-3}
connections=${CONNECTIONS:-32}
log_requests=${LOG_REQUESTS:-false}

# ---- servers

free_port; upstream_port=$port
filler=$(printf 'All work and no play makes a dull answer. %.0s' {1..16})
answer='{"id":"msg_01Bench","type":"message","role":"assistant","model":"claude-bench","content":[{"type":"text","text":"'$filler'"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":210,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":160}}'
{ nginx_main upstream; cat <<CONF
  server {
    listen 127.0.0.1:$upstream_port backlog=4096;
    location / { default_type application/json; return 200 '$answer'; }
  }
}
CONF
} >"$work/upstream.conf"
start_nginx "$work/upstream.conf" "$upstream_port"

free_port; nginx_port=$port
{ nginx_main proxy; cat <<CONF
  upstream fake { server 127.0.0.1:$upstream_port; keepalive 512; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:$nginx_port backlog=4096;
    location / { proxy_pass http://fake; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
CONF
} >"$work/proxy.conf"
start_nginx "$work/proxy.conf" "$nginx_port"; nginx_pid=$pid

free_port; aiproxy_port=$port
cat >"$work/config.yaml" <<CONF
bind: 127.0.0.1
listen: ":$aiproxy_port"
log: { requests: $log_requests }
upstreams:
  - name: fake
    api_type: anthropic
    base_url: http://127.0.0.1:$upstream_port
    token: sk-fake-upstream
    available_models: ["claude-*"]
  - name: echo
    api_type: echo
    available_models: ["echo"]
CONF

servers=("direct $upstream_port 0" "nginx $nginx_port $nginx_pid")
if [ -x "$binary" ]; then
  start_aiproxy "$work/config.yaml" "$aiproxy_port"; aiproxy_pid=$pid
  sleep 1
  idle_rss=$(memory_kb "$aiproxy_pid" Rss) idle_pss=$(memory_kb "$aiproxy_pid" Pss)
  servers+=("aiproxy $aiproxy_port $aiproxy_pid")
else
  echo "no binary at $binary: aiproxy is left out (run ./publish.sh, or name it in AIPROXY_BINARY)" >&2
fi

# ---- load

# one NAME PORT PID CONNECTIONS SECONDS FILE  appends: name, requests, seconds, errors, p50 us, p99 us, cpu us a request
one() {
  local before=0 after=0 figures
  [ "$3" = 0 ] || before=$(cpu_ticks "$3")
  figures=$(wrk -t1 -c"$4" -d"${5}s" --latency -s "$here/exchange.lua" "http://127.0.0.1:$2" | awk '$1 == "FIGURES" { print $2, $3, $4, $5, $6 }')
  [ "$3" = 0 ] || after=$(cpu_ticks "$3")
  [ -n "$figures" ] || die "wrk gave no figures for $1"
  echo "$1 $figures $((after - before))" >>"$6"
}

for server in "${servers[@]}"; do one $server "$connections" 2 "$work/warmup"; done
for ((round = 1; round <= rounds; round++)); do
  for server in "${servers[@]}"; do one $server "$connections" "$seconds" "$work/many"; done
done
for ((round = 1; round <= rounds; round++)); do
  for server in "${servers[@]}"; do one $server 1 2 "$work/single"; done
done

report='
  { requests[$1] += $2; us[$1] += $3; errors[$1] += $4; p50[$1] += $5; p99[$1] += $6; ticks[$1] += $7; runs[$1]++; if (!seen[$1]++) order[++n] = $1 }
  END {
    printf "%-10s %12s %14s %10s %10s %8s\n", "", "requests/s", "CPU us/request", "p50 ms", "p99 ms", "errors"
    for (i = 1; i <= n; i++) {
      s = order[i]; rate[s] = requests[s] * 1e6 / us[s]; cpu[s] = requests[s] ? ticks[s] * 1e6 / hz / requests[s] : 0
      printf "%-10s %12.0f %14s %10.3f %10.3f %8d\n", s, rate[s], s == "direct" ? "-" : sprintf("%.1f", cpu[s]), p50[s] / runs[s] / 1000, p99[s] / runs[s] / 1000, errors[s]
    }
    if (("aiproxy" in rate) && cpu["nginx"] > 0)
      printf "aiproxy / nginx: requests/s %.2f, CPU a request %.2f; added to direct at the median: nginx %.3f ms, aiproxy %.3f ms\n",
        rate["aiproxy"] / rate["nginx"], cpu["aiproxy"] / cpu["nginx"],
        (p50["nginx"] / runs["nginx"] - p50["direct"] / runs["direct"]) / 1000, (p50["aiproxy"] / runs["aiproxy"] - p50["direct"] / runs["direct"]) / 1000
  }'
echo "== $connections connections, $rounds rounds of $seconds s each, alternating (load, upstream and proxy share $(nproc) cores)"
awk -v hz="$ticks_per_second" "$report" "$work/many"
echo "== 1 connection, $rounds rounds of 2 s each"
awk -v hz="$ticks_per_second" "$report" "$work/single"
[ -x "$binary" ] || exit 0

echo "== memory"
echo "idle after start: RSS $((idle_rss / 1024)) MB, PSS $((idle_pss / 1024)) MB; after the load: RSS $(($(memory_kb "$aiproxy_pid" Rss) / 1024)) MB, PSS $(($(memory_kb "$aiproxy_pid" Pss) / 1024)) MB"

# ---- start

echo_body='{"model":"echo","max_tokens":10,"messages":[{"role":"user","content":"hello"}]}'

# ask PORT REQUEST  true when the answer is a 200. No program is started for it: the clock runs.
ask() {
  local status=
  { exec 3<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || return 1
  printf '%b' "$2" >&3
  read -r -t 2 _ status _ <&3
  exec 3<&- 3>&-
  [ "$status" = 200 ]
}

# start_ms REQUEST  milliseconds from exec to the first 200, median of ten starts.
start_ms() {
  local i begin end id until
  for i in 1 2 3 4 5 6 7 8 9 10; do
    free_port
    sed "s/^listen: .*/listen: \":$port\"/" "$work/config.yaml" >"$work/start.yaml"
    begin=${EPOCHREALTIME/./}
    until=$((SECONDS + 10))
    "$binary" -config "$work/start.yaml" >/dev/null 2>&1 &
    id=$!
    until ask "$port" "$1"; do
      [ "$SECONDS" -lt "$until" ] || { kill "$id"; die "no answer within 10 s of the start"; }
    done
    end=${EPOCHREALTIME/./}
    kill "$id"; wait "$id" 2>/dev/null
    echo $(((end - begin) / 100))
  done | sort -n | awk '{ v[NR] = $1 } END { printf "%.1f", (v[5] + v[6]) / 20 }'
}

echo "== start, median of 10"
echo "to the first 200 of /health: $(start_ms 'GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n') ms"
echo "to the first 200 of an echo: $(start_ms "POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${#echo_body}\r\nConnection: close\r\n\r\n$echo_body") ms"

echo "== size"
echo "$(stat -c %s "$binary") bytes ($(($(stat -c %s "$binary") / 1024 / 1024)) MB)"
