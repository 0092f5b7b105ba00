using System.Diagnostics.CodeAnalysis;
using Aiproxy.Protocols;
using Aiproxy.Protocols.OpenAIResponses;

namespace Aiproxy.Balancer;

/// <summary>Recent Responses answers that no upstream keeps, for <c>previous_response_id</c> and <c>GET /v1/responses/{id}</c>.</summary>
/// <remarks>Thread-safe. In memory only; a restart forgets. The id of another client's answer is not found, like one that never was.</remarks>
public sealed class ResponseStore(TimeProvider clock, int maxEntries = ResponseStore.DefaultMaxEntries, long maxBytes = ResponseStore.DefaultMaxBytes)
{
    /// <summary>An entry holds its whole conversation, so that the newest of each conversation is what counts: enough for hundreds of them.</summary>
    public const int DefaultMaxEntries = 2_000;

    /// <summary>64 MB: a text conversation has some hundred kilobytes, and images are what fills the rest.</summary>
    public const long DefaultMaxBytes = 64 * 1024 * 1024;

    // One conversation with images must not throw out all others.
    private const int LargestShare = 4;

    // Clients chain answers within a sitting. OpenAI keeps them for 30 days, on disks.
    private static readonly TimeSpan MaxAge = TimeSpan.FromHours(6);

    private readonly BoundedTable<(string Client, string Id), StoredResponse> _responses =
        new(maxEntries, maxBytes, MaxAge, clock, static response => response.Bytes);

    // Clients refer to single items as well; the answer that holds one is what counts towards the limits.
    private readonly BoundedTable<(string Client, string ItemId), string> _items = new(maxEntries * ItemsEach, long.MaxValue, MaxAge, clock, static _ => 0);

    private const int ItemsEach = 16;

    public int Count => _responses.Count;

    /// <param name="client">Identity of the client's key; empty where there are no keys.</param>
    public bool TryGet(string client, string id, [MaybeNullWhen(false)] out StoredResponse response) => _responses.TryGet((client, id), out response);

    /// <summary>Keeps an answer. A request that says <c>store: false</c> must not come here.</summary>
    public void Put(string client, StoredResponse response)
    {
        if (response.Bytes > maxBytes / LargestShare) return;
        _responses.Put((client, response.Id), response);
        foreach ((string id, _) in OpenAIResponsesConversation.ItemsById(response.Output)) _items.Put((client, id), response.Id);
    }

    /// <summary>One output item of an answer that is kept, raw; null: it is not known.</summary>
    public byte[]? FindItem(string client, string itemId)
    {
        if (!_items.TryGet((client, itemId), out string? id) || !TryGet(client, id, out StoredResponse? response)) return null;
        foreach ((string each, byte[] item) in OpenAIResponsesConversation.ItemsById(response.Output))
        {
            if (each == itemId) return item;
        }
        return null;
    }

    /// <summary>False: there is no such answer.</summary>
    public bool Delete(string client, string id) => _responses.Remove((client, id));
}
