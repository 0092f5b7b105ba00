#!/usr/bin/env bash
# The corpus, damaged: requests (bytes and structure) to every upstream, answers and streams to every client. Every round damages every file another way; a
# quick part of it is in tests/run.sh. Needs the .NET SDK; opens no port. Prints how many cases each test read, and fails where one failed.
#   tests/fuzz.sh [ROUNDS=1000]
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
export AIPROXY_FUZZ_ROUNDS=${1:-1000}
dotnet build tests -c Release --nologo -v quiet || exit 1
log=$(mktemp "${TMPDIR:-/tmp}/aiproxy-fuzz.XXXXXX")
trap 'rm -f "$log"' EXIT
dotnet run --project tests -c Release --no-build -- -noColor -class Aiproxy.Tests.Conversations.CorpusFuzzTests -showLiveOutput 2>&1 | tee "$log" | sed -n 's/.*\[OUTPUT\] //p; /\[FAIL\]/,/Stack Trace/p; /Total:/p'
status=${PIPESTATUS[0]}
awk '/\[OUTPUT\] [0-9]+ damaged/ { sub(/.*\[OUTPUT\] /, ""); sum += $1 } END { print sum + 0 " cases" }' "$log"
exit "$status"
