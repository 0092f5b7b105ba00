# Shared by the benchmarks: a temp folder, loopback ports, servers that always die with the script, figures from /proc.
# Sourced, not run. Everything happens on 127.0.0.1.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
binary=${AIPROXY_BINARY:-$root/aiproxy}
ticks_per_second=$(getconf CLK_TCK)
work=$(mktemp -d "${TMPDIR:-/tmp}/aiproxy-bench.XXXXXX")
children=()

cleanup() {
  local pid
  for pid in "${children[@]}"; do kill "$pid" 2>/dev/null; done
  for pid in "${children[@]}"; do wait "$pid" 2>/dev/null; done
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

die() { echo "$*" >&2; exit 1; }

# need TOOL:PACKAGE...  ends the script with one line a missing tool.
need() {
  local pair missing=0
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null && continue
    echo "missing: ${pair%%:*} (Debian: apt-get install ${pair##*:})" >&2
    missing=1
  done
  [ "$missing" = 0 ] || exit 1
}

# A port below the ephemeral range that nobody listens on. Sets `port`.
free_port() {
  while :; do
    port=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || return 0
  done
}

# wait_port PORT SECONDS
wait_port() {
  local until=$((SECONDS + $2))
  while ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do
    [ "$SECONDS" -lt "$until" ] || return 1
    sleep 0.05
  done
}

# start_nginx CONF PORT  runs nginx in the foreground as a child. Sets `pid`.
start_nginx() {
  mkdir -p "$work/nginx-$2"
  nginx -p "$work/nginx-$2" -e stderr -c "$1" >"$work/nginx-$2.log" 2>&1 &
  pid=$!
  children+=("$pid")
  wait_port "$2" 5 || { cat "$work/nginx-$2.log" >&2; die "nginx did not open port $2"; }
}

# start_aiproxy CONFIG PORT  Sets `pid`.
start_aiproxy() {
  "$binary" -config "$1" >"$work/aiproxy-$2.log" 2>&1 &
  pid=$!
  children+=("$pid")
  wait_port "$2" 10 || { cat "$work/aiproxy-$2.log" >&2; die "$binary did not open port $2"; }
}

# The process and its children, one id a line. nginx has a master and a worker.
family() {
  echo "$1"
  local stat
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    set -- "$1" ${line##*) }
    # After the name: state, parent.
    [ "$3" = "$1" ] && { stat=${stat#/proc/}; echo "${stat%/stat}"; }
  done
}

# cpu_ticks PID  user and system time of the process and its children so far, in clock ticks.
cpu_ticks() {
  local id sum=0 line
  for id in $(family "$1"); do
    { read -r line <"/proc/$id/stat"; } 2>/dev/null || continue
    set -- ${line##*) }
    sum=$((sum + ${12} + ${13}))
  done
  echo "$sum"
}

# memory_kb PID Rss|Pss  of the process and its children.
memory_kb() {
  local id sum=0 kb
  for id in $(family "$1"); do
    kb=$(awk -v key="$2:" '$1 == key { print $2 }' "/proc/$id/smaps_rollup" 2>/dev/null)
    sum=$((sum + ${kb:-0}))
  done
  echo "$sum"
}

# nginx_main  the part of a configuration that is alike everywhere; $1 is the name of its process id file.
nginx_main() {
  cat <<CONF
daemon off;
worker_processes 1;
worker_rlimit_nofile 60000;
pid $work/$1.pid;
events { worker_connections 30000; }
http {
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path $work/$1-body;
  proxy_temp_path $work/$1-proxy;
  fastcgi_temp_path $work/$1-fastcgi;
  uwsgi_temp_path $work/$1-uwsgi;
  scgi_temp_path $work/$1-scgi;
CONF
}
