-- One Anthropic request of about 1 KB, over and over; at the end one line of figures for exchange.sh.
local filler = string.rep("The quick brown fox jumps over the lazy dog. ", 19)
wrk.method = "POST"
wrk.path = "/v1/messages"
wrk.body = '{"model":"claude-bench","max_tokens":100,"messages":[{"role":"user","content":"' .. filler .. '"}],"metadata":{"user_id":"bench"}}'
wrk.headers["content-type"] = "application/json"
wrk.headers["anthropic-version"] = "2023-06-01"
wrk.headers["x-api-key"] = "sk-fake-bench"

function done(summary, latency)
  local e = summary.errors
  io.write(string.format("FIGURES %d %d %d %d %d\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.timeout + e.status, latency:percentile(50), latency:percentile(99)))
end
