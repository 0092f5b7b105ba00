using Aiproxy.Balancer;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIResponses;

namespace Aiproxy.Server;

/// <summary>Responses clients may refer to an earlier answer instead of sending it again. Answers that were translated here, or that came from a provider that forgets them, are known to no upstream, so they are kept here.</summary>
public sealed class StoredConversations(ResponseStore store)
{
    /// <summary>The body with the earlier conversation and the items in it that it refers to, where they are ours; else the body itself, for an upstream
    /// that knows the reference.</summary>
    public ReadOnlyMemory<byte> Expand(string client, ReadOnlyMemory<byte> body)
    {
        if (OpenAIResponsesConversation.PreviousId(body.Span) is { } id && store.TryGet(client, id, out StoredResponse? earlier))
            body = OpenAIResponsesConversation.Expand(body.Span, earlier.Input, earlier.Output);
        return OpenAIResponsesConversation.Resolve(body.Span, item => store.FindItem(client, item)) is { } resolved ? resolved : body;
    }

    /// <summary>What keeps the answer to this (expanded) body; null: the client wants none kept.</summary>
    public Action<ReadOnlyMemory<byte>>? Keeper(string client, ReadOnlyMemory<byte> body)
    {
        if (!OpenAIResponsesConversation.IsToBeStored(body.Span)) return null;
        return answer =>
        {
            if (OpenAIResponsesConversation.Answer(answer.Span) is not { } kept) return;
            store.Put(client, new StoredResponse(kept.Id, kept.Created, OpenAIResponsesConversation.InputItems(body.Span), kept.Output, answer.ToArray()));
        };
    }

    /// <summary><c>GET</c> and <c>DELETE /v1/responses/{id}</c>.</summary>
    public Task ServeAsync(Call call, IClientProtocol dialect)
    {
        string id = call.Path.Path[(call.Path.Path.LastIndexOf('/') + 1)..];
        if (call.Is("DELETE") && store.Delete(call.Client, id))
        {
            return call.JsonAsync(200, output =>
            {
                using var writer = new System.Text.Json.Utf8JsonWriter(output);
                writer.WriteStartObject();
                writer.WriteString("id", id);
                writer.WriteString("object", "response");
                writer.WriteBoolean("deleted", true);
                writer.WriteEndObject();
            });
        }
        if (!call.Is("DELETE") && store.TryGet(call.Client, id, out StoredResponse? response))
            return call.BodyAsync(200, "application/json; charset=utf-8", response.Response);
        return call.ErrorAsync(dialect, new ProxyError(ErrorKind.NotFound, "no response of this id is kept here") { Code = "response_not_found" });
    }
}
