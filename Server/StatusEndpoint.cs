using System.Text.Json;
using Aiproxy.Balancer;
using Aiproxy.Config;
using Aiproxy.OAuthCache;
using Aiproxy.Upstreams;

namespace Aiproxy.Server;

/// <summary><c>/status</c>: how the upstreams, their circuits, credentials and sign-ins stand. Names, numbers and times only; no keys and no tokens.</summary>
public sealed class StatusEndpoint(Runtime runtime, UpstreamStateTable states, CredentialSource credentials, AccountQuotas quotas, TimeProvider clock)
{
    public Task ServeAsync(Call call)
    {
        foreach (UpstreamConfig upstream in call.Snapshot.Config.Upstreams.Where(upstream => upstream.Enabled)) quotas.Refresh(upstream);
        return call.JsonAsync(200, output =>
        {
            using var writer = new Utf8JsonWriter(output);
            writer.WriteStartObject();
            writer.WriteString("version", BuildInfo.Version);
            writer.WriteString("time", clock.GetUtcNow());
            writer.WriteBoolean("draining", runtime.IsDraining);
            writer.WriteNumber("in_flight", runtime.InFlight);
            writer.WriteStartArray("upstreams");
            foreach (UpstreamConfig upstream in call.Snapshot.Config.Upstreams) Write(writer, upstream);
            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }

    private void Write(Utf8JsonWriter writer, UpstreamConfig upstream)
    {
        writer.WriteStartObject();
        writer.WriteString("name", upstream.Name);
        writer.WriteString("api_type", upstream.ApiType);
        writer.WriteBoolean("enabled", upstream.Enabled);
        if (upstream.Enabled) WriteState(writer, upstream, states.For(upstream));
        writer.WriteEndObject();
    }

    private void WriteState(Utf8JsonWriter writer, UpstreamConfig upstream, UpstreamState state)
    {
        writer.WriteNumber("priority", upstream.Priority);
        writer.WriteNumber("weight", upstream.Weight);
        writer.WriteNumber("in_flight", state.InFlight);
        writer.WriteNumber("attempts", state.Attempts);
        writer.WriteNumber("failures", state.Failures);
        if (state.LastFailure is { } failure)
        {
            writer.WriteStartObject("last_failure");
            writer.WriteString("kind", failure.Kind.ToString());
            writer.WriteString("at", failure.At);
            writer.WriteEndObject();
        }
        writer.WriteStartArray("blocked_models");
        foreach (BlockedModel blocked in state.BlockedModels())
        {
            writer.WriteStartObject();
            writer.WriteString("model", blocked.Model);
            writer.WriteString("circuit", blocked.State.ToString());
            writer.WriteString("until", blocked.Until);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        IReadOnlyList<(SignInStatus Status, AccountQuota? Quota)> signIns = credentials.Statuses(upstream);
        writer.WriteStartArray("credentials");
        foreach (CredentialStatus credential in state.Credentials.Statuses())
        {
            writer.WriteStartObject();
            writer.WriteString("id", credential.Identity);
            if (credential.BlockedUntil is { } until) writer.WriteString("rests_until", until);
            if (credential.Refusals > 0) writer.WriteNumber("refusals", credential.Refusals);
            if (credential.Index < signIns.Count) WriteSignIn(writer, signIns[credential.Index].Status, signIns[credential.Index].Quota);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void WriteSignIn(Utf8JsonWriter writer, SignInStatus status, AccountQuota? quota)
    {
        writer.WriteStartObject("sign_in");
        writer.WriteString("file", status.Path);
        writer.WriteString("state", status.State.ToString());
        WriteText(writer, "layout", status.Layout);
        WriteText(writer, "email", status.Email);
        WriteText(writer, "plan", quota?.Plan ?? status.Plan);
        if (status.ExpiresAt is { } expires) writer.WriteString("expires_at", expires);
        if (status.LastRefresh is { } refreshed) writer.WriteString("refreshed_at", refreshed);
        if (status.IsNotSaved) writer.WriteBoolean("not_saved", true);
        WriteText(writer, "problem", status.Problem);
        WriteText(writer, "link", status.Link?.AbsoluteUri);
        if (status.RetryAt is { } retry) writer.WriteString("retry_at", retry);
        if (quota is not null)
        {
            writer.WriteString("limits_told_at", quota.At);
            writer.WriteStartArray("limits");
            foreach (QuotaWindow window in quota.Windows)
            {
                writer.WriteStartObject();
                writer.WriteString("name", window.Name);
                if (window.UsedPercent is { } used) writer.WriteNumber("used_percent", Math.Round(used, 2));
                if (window.ResetsAt is { } resets) writer.WriteString("resets_at", resets);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        }
        writer.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter writer, string name, string? text)
    {
        if (text is not null) writer.WriteString(name, text);
    }
}
