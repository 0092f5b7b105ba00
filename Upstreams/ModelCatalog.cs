using System.Collections.Concurrent;
using System.Text.Json;
using Aiproxy.Config;

namespace Aiproxy.Upstreams;

/// <summary>The model lists of upstreams that name no models in the configuration: fetched in the background, answered from memory.</summary>
public sealed class ModelCatalog(ProviderCalls calls, UpstreamTable types, CredentialSource credentials, TimeProvider clock)
{
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private const int MaxListBytes = 8 * 1024 * 1024;

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>What is known now; starts a fetch where nothing is or it is old.</summary>
    public IReadOnlyList<string> Models(UpstreamConfig upstream)
    {
        if (types.Find(upstream.ApiType) is { } type) Start(upstream, type);
        return _entries.TryGetValue(Key(upstream), out Entry? entry) ? entry.Models : [];
    }

    /// <summary>Starts a fetch where nothing is known or it is old; does not wait. Not for what signs in: tokens are not refreshed for nothing.</summary>
    public void Refresh(UpstreamConfig upstream)
    {
        if (types.Find(upstream.ApiType) is { Wire: null } type) Start(upstream, type);
    }

    private void Start(UpstreamConfig upstream, IUpstreamType type)
    {
        if (!upstream.Enabled || (upstream.BaseUrls.Count == 0 && type.Wire?.Account is null)) return;
        Entry entry = _entries.GetOrAdd(Key(upstream), static (_, usual) => new Entry { Models = usual }, type.Wire?.Account?.UsualModels ?? []);
        if (Volatile.Read(ref entry.NextAt) is var next and > 0 && clock.GetTimestamp() < next) return;
        if (Interlocked.Exchange(ref entry.Busy, 1) == 0) _ = FetchAsync(upstream, type, entry);
    }

    private async Task FetchAsync(UpstreamConfig upstream, IUpstreamType type, Entry entry)
    {
        TimeSpan kept = AfterFailure;
        try
        {
            using var patience = new CancellationTokenSource(Patience, clock);
            HeldCredential held = await credentials.GetAsync(upstream, type, 0, patience.Token).ConfigureAwait(false);
            if (held.Failure is not null) return;
            ProviderCall call = calls.For(upstream, type, held.Credential, 0);
            if (type.Wire?.Account is { } account)
            {
                IReadOnlyList<string>? own = held.Credential is null ? null : await account.ModelsAsync(upstream, held.Credential, call, patience.Token).ConfigureAwait(false);
                entry.Models = own is { Count: > 0 } ? own : account.UsualModels;
                kept = Kept;
                return;
            }
            using var message = new HttpRequestMessage(HttpMethod.Get, upstream.BaseUrls[0].AbsoluteUri.TrimEnd('/') + ListPath(type.Name));
            using HttpResponseMessage response = await call(message, patience.Token).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode) return;
            using var limit = new AttemptClock(clock, long.MaxValue, patience.Token);
            using BoundedBody body = await BoundedBody.ReadAsync(response.Content, MaxListBytes, limit).ConfigureAwait(false);
            entry.Models = Read(body.Memory);
            kept = Kept;
        }
        // InvalidOperationException: a name with half a surrogate pair.
        catch (Exception fault) when (Faults.IsTransport(fault) || fault is JsonException or InvalidOperationException)
        {
            // No list is no harm: requests are routed without it, and the next one is asked for later.
        }
        finally
        {
            Volatile.Write(ref entry.NextAt, clock.GetTimestamp() + (long)(kept.TotalSeconds * clock.TimestampFrequency));
            Volatile.Write(ref entry.Busy, 0);
        }
    }

    private static string ListPath(string type) => type switch
    {
        "gemini" => "/v1beta/models?pageSize=1000",
        "anthropic" => "/v1/models?limit=1000",
        _ => "/v1/models",
    };

    // OpenAI and Anthropic: data[].id; Gemini: models[].name with its collection in front.
    private static List<string> Read(ReadOnlyMemory<byte> body)
    {
        var names = new List<string>();
        using JsonDocument list = JsonDocument.Parse(body);
        if (list.RootElement.ValueKind != JsonValueKind.Object) return names;
        foreach ((string array, string member) in (ReadOnlySpan<(string, string)>)[("data", "id"), ("models", "name")])
        {
            if (!list.RootElement.TryGetProperty(array, out JsonElement entries) || entries.ValueKind != JsonValueKind.Array) continue;
            foreach (JsonElement entry in entries.EnumerateArray())
            {
                if (entry.ValueKind != JsonValueKind.Object || !entry.TryGetProperty(member, out JsonElement name) || name.ValueKind != JsonValueKind.String) continue;
                string text = name.GetString()!;
                names.Add(text.StartsWith("models/", StringComparison.Ordinal) ? text["models/".Length..] : text);
            }
        }
        return names;
    }

    private static string Key(UpstreamConfig upstream) => upstream.Name + "\n" + upstream.ApiType + "\n" + string.Join(' ', upstream.BaseUrls);

    private sealed class Entry
    {
        public volatile IReadOnlyList<string> Models = [];
        public int Busy;

        /// <summary>Timestamp of the next fetch; 0: none was made.</summary>
        public long NextAt;
    }
}
