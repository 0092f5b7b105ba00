#!/usr/bin/env bash
# AWS frames, as native code: decoding beside the fastest CRC-32 over the same bytes, and the fuzz with mutated frames.
# Needs the .NET SDK and a C compiler to link with; installs nothing, writes to a temp folder only.
#   tests/bench/frames.sh                      speed
#   tests/bench/frames.sh fuzz 10000000 [SEED]
set -u
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need dotnet:dotnet-sdk-10.0 objcopy:binutils
[ $# -gt 0 ] || set -- speed

libc=linux
if ldd --version 2>&1 | grep -qi musl; then libc=linux-musl; fi
case $(uname -m) in
  x86_64 | amd64) runtime=$libc-x64 ;;
  *) runtime=$libc-arm64 ;;
esac

# build FRAMEWORK  Like publish.sh: a folder of its own for each attempt.
build() {
  dotnet publish "$here/frames" -c Release -r "$runtime" --artifacts-path "$work/$1" -o "$work/out" --nologo -nodeReuse:false -v quiet \
    -p:PublishAot=true -p:StripSymbols=true -p:AotFramework="$1" >"$work/build.log" 2>&1
}
framework=net10.0
if ! build net10.0; then
  grep -Eqi 'Microsoft\.NETCore\.App\.Runtime|Microsoft\.AspNetCore\.App\.Runtime|ilcompiler' "$work/build.log" || { cat "$work/build.log" >&2; die "frames does not build"; }
  framework=net9.0
  build net9.0 || { cat "$work/build.log" >&2; die "frames does not build"; }
fi

echo "native $framework $runtime on $(nproc) cores; load before: $(cut -d' ' -f1-3 /proc/loadavg)"
"$work/out/frames" "$@"
status=$?
echo "load after: $(cut -d' ' -f1-3 /proc/loadavg)"
exit "$status"
