#!/usr/bin/env bash
# The real command-line tools (Claude Code, Codex, Gemini CLI, opencode) do a job with tools through the published binary, each against a scripted
# upstream of every protocol. Nothing but loopback is reachable for them where user namespaces are allowed; keys are fake, homes are temporary.
# Usage: tests/tools/run.sh [TEXT]      only the cells whose name holds TEXT, as in "codex -> gemini"
# AIPROXY_BINARY names the binary (./aiproxy); the tools stay installed in a folder below the temporary folder. "N passed, N failed" is the last line.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
exec </dev/null

cache=${TMPDIR:-/tmp}/aiproxy-tools-$(id -u)
packages=(@anthropic-ai/claude-code@2.1.328 @openai/codex@0.169.0 @google/gemini-cli@0.61.0 opencode-ai@1.18.33)
mkdir -p "$cache" || exit 1

for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "$tool is missing" >&2; echo '0 passed, 1 failed'; exit 1; }
done

# One folder a package; its stamp is written when all of it is there. Install scripts stay on: two packages fetch their program with them.
for package in "${packages[@]}"; do
  name=${package%@*} folder=$cache/${name##*/}
  [ "$(cat "$folder/stamp" 2>/dev/null)" = "$package" ] && continue
  echo "installing $package"
  rm -rf "$folder" && mkdir -p "$folder" && echo '{"private":true}' >"$folder/package.json"
  if (cd "$folder" && timeout 300 npm install --no-audit --no-fund --loglevel=error "$package" >npm.log 2>&1); then
    echo "$package" >"$folder/stamp"
  else
    echo "FAILED: npm cannot install $package:" >&2
    tail -5 "$folder/npm.log" >&2
    rm -rf "$folder/node_modules"
  fi
done

if unshare -rn ip link set lo up 2>/dev/null; then
  exec unshare -rn bash -c 'ip link set lo up && exec node run.mjs "$@"' run "$cache" "$@"
fi
echo 'no network namespace here: the tools are held back by a dead proxy instead' >&2
export AIPROXY_TOOLS_DEAD_PROXY=http://127.0.0.1:9
exec node run.mjs "$cache" "$@"
