#!/usr/bin/env bash
# What translation costs, as native code: the twelve stream pairs beside forwarding (processor time and memory an event), and a 20 MB request through each pair.
# Needs the .NET SDK; opens no port, writes to artifacts/ and a temp folder only. Ends with 1 where a limit is missed.
#   EVENTS=20000 ROUNDS=15 MEGABYTES=20 tests/bench/translate.sh [streams|requests]
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$root/artifacts/bench-translate
framework=${AOT_FRAMEWORK:-net9.0}
mkdir -p "$work"

case $(uname -m) in x86_64 | amd64) runtime=linux-x64 ;; *) runtime=linux-arm64 ;; esac
if [ -z "${NO_BUILD:-}" ]; then
  DOTNET_NOLOGO=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 dotnet publish "$here/translate" -c Release --artifacts-path "$work" -o "$work/out" -r "$runtime" -nodeReuse:false -v quiet \
    -p:PublishAot=true -p:StripSymbols=true -p:AotFramework="$framework" >"$work/build.log" 2>&1 || { tail -20 "$work/build.log" >&2; echo "translate does not build" >&2; exit 1; }
fi

echo "$framework native, $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg)"
failed=0
case ${1:-all} in all | streams) "$work/out/translate" streams --events "${EVENTS:-20000}" --rounds "${ROUNDS:-15}" || failed=1 ;; esac
case ${1:-all} in
  all | requests)
    for images in 8 1; do "$work/out/translate" requests --megabytes "${MEGABYTES:-20}" --images "$images" || failed=1; done
    ;;
esac
echo "load at the end $(cut -d' ' -f1-3 /proc/loadavg)"
exit "$failed"
