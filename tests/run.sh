#!/usr/bin/env bash
# All tests: the xunit project, then the vendors' client libraries against the published binary.
# Publishes first when ./aiproxy is missing or older than a source. Prints "N passed, N failed" last; fails when anything failed.
# AIPROXY_BINARY=FILE tests that binary and publishes nothing.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
exec </dev/null

log=$(mktemp -d "${TMPDIR:-/tmp}/aiproxy-tests.XXXXXX")
trap 'rm -rf "$log"' EXIT
passed=0 failed=0
fail() { failed=$((failed + 1)); echo "FAILED: $*" >&2; }
finish() { echo "$passed passed, $failed failed"; [ "$failed" = 0 ] && [ "$passed" -gt 0 ]; exit; }

# stale  true when the binary is missing or a source is newer.
stale() {
  [ -x aiproxy ] || return 0
  [ -n "$(find . \( -path ./tests -o -path ./artifacts -o -path ./.git -o -name bin -o -name obj \) -prune \
    -o -type f \( -name '*.cs' -o -name '*.csproj' -o -name publish.sh \) -newer aiproxy -print -quit)" ]
}

if [ -z "${AIPROXY_BINARY:-}" ]; then
  if stale && ! ./publish.sh; then fail "publish.sh"; finish; fi
  export AIPROXY_BINARY=$PWD/aiproxy
fi

echo "== xunit"
if ! dotnet build tests -c Release --nologo -v quiet; then
  fail "the tests do not build"
else
  timeout 1200 dotnet run --project tests -c Release --no-build -- -noColor 2>&1 | tee "$log/xunit"
  status=${PIPESTATUS[0]}
  # "Total: 5, Errors: 0, Failed: 0, Skipped: 0, Not Run: 0, Time: 0.1s"
  read -r total errors bad skipped unrun < <(sed -n 's/.*Total: \([0-9]*\), Errors: \([0-9]*\), Failed: \([0-9]*\), Skipped: \([0-9]*\), Not Run: \([0-9]*\).*/\1 \2 \3 \4 \5/p' "$log/xunit" | tail -1)
  if [ -z "${total:-}" ]; then
    fail "the xunit run has no summary (exit code $status)"
  else
    passed=$((passed + total - errors - bad - skipped - unrun))
    failed=$((failed + errors + bad))
    [ "$status" = 0 ] || [ $((errors + bad)) -gt 0 ] || fail "the xunit run ended with code $status"
    [ "$skipped" = 0 ] || echo "NOTE: $skipped xunit tests were skipped"
  fi
fi

echo "== client libraries"
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  printf '%s\n' '****' "**** NOT RUN: tests/clients needs node 20 and npm, which are not here (Debian: apt-get install nodejs npm)" '****' >&2
elif ! (cd tests/clients && timeout 240 npm install --package-lock=false --ignore-scripts --no-audit --no-fund --loglevel=error); then
  fail "npm install in tests/clients"
else
  # The libraries against their own protocol, each against each of six upstream types, and on the golden answers of the corpus.
  for part in run matrix corpus; do
    timeout 300 node "tests/clients/$part.mjs" 2>&1 | tee "$log/$part"
    read -r good bad < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$log/$part" | tail -1)
    if [ -z "${good:-}" ]; then
      fail "tests/clients/$part.mjs has no sum"
    else
      passed=$((passed + good)) failed=$((failed + bad))
    fi
  done
fi

finish
