#!/usr/bin/env bash
# Builds the one native binary.
#   ./publish.sh            -> ./aiproxy
#   ./publish.sh -o DIR     -> DIR/aiproxy
# Work files stay in artifacts/, apart from those of a normal build.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$root/aiproxy.csproj
target=$root

fail() {
    printf 'publish: %s\n' "$1" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case $1 in
        -o | --output)
            [ $# -ge 2 ] || fail "$1 needs a folder"
            target=$2
            shift 2
            ;;
        -h | --help)
            sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        *) fail "unknown argument '$1' (usage: publish.sh [-o DIR])" ;;
    esac
done

[ "$(uname -s)" = Linux ] || fail "this script builds for Linux only"
libc=linux
if ldd --version 2>&1 | grep -qi musl; then libc=linux-musl; fi
case $(uname -m) in
    x86_64 | amd64) runtime=$libc-x64 ;;
    aarch64 | arm64) runtime=$libc-arm64 ;;
    *) fail "no runtime for $(uname -m); x86_64 and aarch64 are known" ;;
esac

# The newest SDK in sight: the one on PATH may be the distribution's old one.
dotnet=
for candidate in "$(command -v dotnet || true)" "${DOTNET_ROOT:-}/dotnet" "$HOME/.dotnet/dotnet"; do
    [ -n "$candidate" ] && [ -x "$candidate" ] || continue
    if "$candidate" --list-sdks 2>/dev/null | grep -Eq '^[1-9][0-9]+\.'; then
        dotnet=$candidate
        break
    fi
done
[ -n "$dotnet" ] || fail ".NET SDK 10 or newer is missing: Debian/Fedora/Alpine package dotnet-sdk-10.0 or dotnet10-sdk, or https://dot.net/v1/dotnet-install.sh --channel 10.0"

compiler=$(command -v clang || command -v gcc || true)
[ -n "$compiler" ] || fail "no clang or gcc to link with: Debian 'apt install gcc libc6-dev zlib1g-dev', Fedora 'dnf install gcc zlib-devel', Alpine 'apk add gcc musl-dev zlib-dev'"

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_CLI_USE_MSBUILD_SERVER=0
work=$root/artifacts/publish
mkdir -p "$work" "$target"
target=$(cd "$target" && pwd)
scratch=$(mktemp -d "$work/tmp.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# The linker's needs, tried as it will need them.
links() {
    printf 'int main(void) { return 0; }\n' | "$compiler" -x c - -o "$scratch/probe" "$@" >"$scratch/link.log" 2>&1
}
links || fail "$compiler cannot link a program: Debian 'apt install libc6-dev', Fedora 'dnf install glibc-devel', Alpine 'apk add musl-dev'"
case $compiler in
    *clang) command -v llvm-objcopy >/dev/null || command -v objcopy >/dev/null ;;
    *) command -v objcopy >/dev/null ;;
esac || fail "no objcopy to strip symbols with: package binutils (clang: llvm)"

commit=$(git -C "$root" rev-parse HEAD 2>/dev/null || true)
version=$("$dotnet" msbuild "$project" -nologo -getProperty:Version)
log=$scratch/build.log

# One attempt: framework, log file. Everything of it lives in a folder of its own, so that no attempt sees another's restore.
attempt() {
    local verb=$1 framework=$2
    shift 2
    "$dotnet" "$verb" "$project" --artifacts-path "$work/$framework" -r "$runtime" -nodeReuse:false -v quiet \
        -p:PublishAot=true -p:StripSymbols=true -p:AotFramework="$framework" \
        ${commit:+-p:SourceRevisionId="$commit"} "$@" >"$log" 2>&1
}

framework=net10.0
if ! attempt restore net10.0; then
    if grep -Eqi 'Microsoft\.NETCore\.App\.Runtime|Microsoft\.AspNetCore\.App\.Runtime|ilcompiler' "$log"; then
        printf 'publish: the native runtime pack of net10.0 is not on this feed, building for net9.0\n' >&2
        framework=net9.0
    else
        cat "$log" >&2
        fail "restore failed"
    fi
fi

if ! attempt publish "$framework" -c Release -o "$scratch/out"; then
    cat "$log" >&2
    if grep -q -- '-lz' "$log" && ! links -lz; then
        fail "zlib is missing: Debian 'apt install zlib1g-dev', Fedora 'dnf install zlib-devel', Alpine 'apk add zlib-dev zlib-static'"
    fi
    fail "publish for $framework failed"
fi
if grep -q 'warning IL' "$log"; then grep 'warning IL' "$log" | grep -v IL2104 | sort -u >&2 || true; fi

# Beside the old binary and then renamed: a running one goes on, and nobody ever sees half a file.
install -m 755 "$scratch/out/aiproxy" "$target/.aiproxy.new"
mv -f "$target/.aiproxy.new" "$target/aiproxy"
size=$(stat -c %s "$target/aiproxy")
printf 'aiproxy %s: %d bytes (%s MB), %s, %s\n' "$version" "$size" "$(awk "BEGIN { printf \"%.1f\", $size / 1000000 }")" "$target/aiproxy" "$framework $runtime"
