using Aiproxy.Balancer;
using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIResponses;
using Aiproxy.Upstreams;
using Microsoft.AspNetCore.Http;

namespace Aiproxy.Server;

/// <summary>The calls that go to an upstream: reads the body, checks what the key may, and hands over to the attempt loop.</summary>
/// <param name="translated">For bodies that are written anew. A budget of their own: who waits for room holds a part of the other one, and might wait for himself.</param>
public sealed class GenerateEndpoint(Runtime runtime, RequestBody bodies, ByteBudget translated, KeyLimits limits, AttemptLoop loop, StoredConversations conversations, ProtocolTable protocols, TimeProvider clock)
{
    // Longest wait for room among the bodies that are held.
    private static readonly TimeSpan RoomWait = TimeSpan.FromSeconds(10);
    private const int InlineBodyBytes = 128 * 1024;
    private const int MaxModelChars = 512;
    private static readonly TimeSpan BusyRetry = TimeSpan.FromSeconds(1);

    public async Task ServeAsync(Call call, IClientProtocol protocol, RequestTarget target)
    {
        ProxyConfig config = call.Snapshot.Config;
        if (!runtime.TryEnter(config.MaxConcurrent))
            throw new ProtocolException(new ProxyError(ErrorKind.Unavailable, "the proxy has as many requests in flight as max_concurrent allows") { RetryAfter = BusyRetry });
        try
        {
            HttpRequest request = call.Context.Request;
            using PooledBody body = await bodies.ReadAsync(
                request.BodyReader, new BodyHead(request.ContentLength, call.Header("Content-Encoding"), config.MaxRequestBodyBytes, RoomWait),
                call.Context.RequestAborted).ConfigureAwait(false);
            // The thread that brought the last byte serves other sockets too, which a long parse would hold up.
            if (body.Memory.Length > InlineBodyBytes) await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            RequestHead head = protocol.ReadHead(target, call.Path.Query, body.Memory.Span);
            CheckModel(head.Model);
            if (!call.Key.Allows(head.Model))
                throw new ProtocolException(ErrorKind.Permission, $"this key may not use the model '{head.Model}'", "model");
            if (!limits.TryEnter(call.Key, out KeyLimits.Admission? admission, out ProxyError? refusal)) throw new ProtocolException(refusal);
            using (admission)
            {
                await RunAsync(call, protocol, head, body).ConfigureAwait(false);
                if (call.Exchange is { } exchange) admission.CountTokens(exchange.Usage.TotalInput + (exchange.Usage.Output ?? 0));
            }
        }
        finally
        {
            runtime.Leave();
        }
    }

    private async Task RunAsync(Call call, IClientProtocol protocol, RequestHead head, PooledBody pooled)
    {
        ProxyConfig config = call.Snapshot.Config;
        ReadOnlyMemory<byte> body = pooled.Memory;
        bool isTurn = protocol.Name == "responses" && head.Target.Operation == Operation.Generate;
        string? previous = isTurn ? OpenAIResponsesConversation.PreviousId(body.Span) : null;
        bool refers = isTurn || (protocol.Name == "responses" && head.Target.Operation == Operation.CountTokens);
        if (refers && conversations.Expand(call.Client, body) is var expanded && !expanded.Equals(body))
        {
            body = expanded;
            head = protocol.ReadHead(head.Target, call.Path.Query, body.Span);
        }
        var writer = new WriterOptions
        {
            Stream = head.Stream,
            Model = head.Model,
            JsonArray = head.JsonArray,
            IncludeUsage = true,
            IsKept = isTurn && OpenAIResponsesConversation.IsToBeStored(body.Span),
            PreviousResponseId = previous,
            Created = clock.GetUtcNow().ToUnixTimeSeconds(),
            Clock = clock,
            IdSeed = RequestIds.Seed(),
        };
        var options = new AnswerOptions
        {
            Protocol = protocol,
            Streams = head.Stream,
            StreamContentType = head.JsonArray ? "application/json; charset=UTF-8" : "text/event-stream; charset=utf-8",
            RequestId = call.Facts.Id,
            Writer = writer,
            KeepaliveInterval = config.KeepaliveInterval,
            EarlyCommit = config.EarlyCommit,
        };
        using var answer = new ClientAnswer(new HttpClientResponse(call.Context), options, clock);
        using var exchange = new Exchange
        {
            Protocol = protocol,
            BodyProtocol = protocol.Name == "openai" && head.HasInputOnly ? protocols["responses"] : null,
            Client = call.Client,
            KeepAnswer = isTurn ? conversations.Keeper(call.Client, body) : null,
            Head = head,
            Body = body,
            OnRelease = pooled.Dispose,
            OnLent = pooled.Lend,
            RoomAsync = async (bytes, cancellationToken) => await translated.AcquireAsync(bytes, RoomWait, clock, cancellationToken).ConfigureAwait(false),
            Query = call.Path.Query,
            Headers = Picked(call.Context.Request.Headers, name => HeaderRules.PassesToUpstream(protocol.Name, name)),
            ToolHeaders = Picked(call.Context.Request.Headers, HeaderRules.IsOfTool),
            Answer = answer,
            WriterOptions = writer,
            RequestId = call.Facts.Id,
            Clock = clock,
            // From here: the time that the client took to send its body is not the upstreams'.
            TotalDeadline = config.TotalTimeout > TimeSpan.Zero ? clock.GetTimestamp() + (long)(config.TotalTimeout.TotalSeconds * clock.TimestampFrequency) : long.MaxValue,
        };
        call.Exchange = exchange;
        try
        {
            await loop.RunAsync(exchange, call.Snapshot.Router).ConfigureAwait(false);
        }
        finally
        {
            await answer.EndAsync().ConfigureAwait(false);
        }
    }

    // The name goes into logs and messages, and into paths, where a step up the tree would name what the key may not use.
    private static void CheckModel(string model)
    {
        if (model.Length > MaxModelChars) throw new ProtocolException(ErrorKind.InvalidRequest, $"model: a name of more than {MaxModelChars} characters", "model");
        foreach (Range step in model.AsSpan().Split('/'))
            if (model.AsSpan(step) is "." or "..") throw new ProtocolException(ErrorKind.InvalidRequest, "model: '.' and '..' are no parts of a name", "model");
    }

    private static List<KeyValuePair<string, string>> Picked(IHeaderDictionary headers, Func<string, bool> isWanted)
    {
        var picked = new List<KeyValuePair<string, string>>();
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in headers)
        {
            if (!isWanted(name)) continue;
            foreach (string? value in values) picked.Add(new(name, value ?? ""));
        }
        return picked;
    }
}
