#!/usr/bin/env bash
# Many open event streams at a steady pace: straight from a fake upstream, through nginx proxy_pass (proxy_buffering off), and through aiproxy, in one run.
# Needs nginx and the .NET SDK; installs nothing, writes to a temp folder only.
#   STREAMS=200,1000 RATE=20 SECONDS_PER_ROUND=10 ROUNDS=1 AIPROXY_BINARY=./aiproxy tests/bench/streams.sh
# STREAMS=5000 takes four file descriptors a stream: `ulimit -Hn` must allow it.
set -u
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need nginx:nginx dotnet:dotnet-sdk-10.0 awk:mawk
ulimit -Sn "$(ulimit -Hn)"

dotnet build "$here/streams" -c Release --artifacts-path "$work/build" --nologo -v quiet >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; die "streams does not build"; }
program=$(find "$work/build/bin" -name streams.dll | head -1)

free_port; upstream_port=$port
free_port; nginx_port=$port
{ nginx_main proxy; cat <<CONF
  server {
    listen 127.0.0.1:$nginx_port backlog=8192;
    location / {
      proxy_pass http://127.0.0.1:$upstream_port; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; proxy_read_timeout 300s;
    }
  }
}
CONF
} >"$work/proxy.conf"
start_nginx "$work/proxy.conf" "$nginx_port"
targets=(--target "direct=$upstream_port@0" --target "nginx=$nginx_port@$pid")

if [ -x "$binary" ]; then
  free_port; aiproxy_port=$port
  cat >"$work/config.yaml" <<CONF
bind: 127.0.0.1
listen: ":$aiproxy_port"
max_concurrent: 20000
log: { requests: false }
upstreams:
  - name: fake
    api_type: anthropic
    base_url: http://127.0.0.1:$upstream_port
    token: sk-fake-upstream
    available_models: ["claude-*"]
CONF
  start_aiproxy "$work/config.yaml" "$aiproxy_port"
  targets+=(--target "aiproxy=$aiproxy_port@$pid")
else
  echo "no binary at $binary: aiproxy is left out (run ./publish.sh, or name it in AIPROXY_BINARY)" >&2
fi

echo "load, upstream and proxy share $(nproc) cores; memory is PSS above idle"
dotnet "$program" --upstream "$upstream_port" "${targets[@]}" --streams "${STREAMS:-200,1000}" --rate "${RATE:-20}" --seconds "${SECONDS_PER_ROUND:-10}" --rounds "${ROUNDS:-1}"
