using System.Text.Json;
using Aiproxy.Balancer;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Server;

/// <summary>Model lists in the three shapes, from memory.</summary>
public sealed class ModelsEndpoint(ModelLists lists, ProtocolTable protocols, AttemptLoop loop)
{
    private static readonly string[] Collections = ["/v1/models", "/v1beta/models"];

    public Task ServeAsync(Call call)
    {
        IClientProtocol protocol = protocols[ModelsDialect.Of(call)];
        call.Facts.Protocol = protocol.Name;
        IReadOnlyList<ModelEntry> models = lists.For(
            call.Snapshot.Config, call.Snapshot.Router, name => call.Key.Allows(name) && loop.IsServed(call.Snapshot.Router, name));
        if (NameOf(call.Path.Path) is not { } wanted)
            return call.Path.Member("format") == "names" ? NamesAsync(call, models) : call.JsonAsync(200, output => protocol.WriteModels(output, models, single: false));

        ModelEntry? entry = models.FirstOrDefault(model => model.Id == wanted);
        // A name that a pattern serves is a model too, though no list can hold it.
        if (entry is null && call.Key.Allows(wanted) && call.Snapshot.Router.Routes(wanted).Count > 0 && loop.IsServed(call.Snapshot.Router, wanted)) entry = new ModelEntry(wanted);
        return entry is null
            ? call.ErrorAsync(protocol, new ProxyError(ErrorKind.NotFound, $"the model '{wanted}' is not served here") { Param = "model", Code = "model_not_found" })
            : call.JsonAsync(200, output => protocol.WriteModels(output, [entry], single: true));
    }

    // The Go program's bare array.
    private static Task NamesAsync(Call call, IReadOnlyList<ModelEntry> models) => call.JsonAsync(200, output =>
    {
        using var writer = new Utf8JsonWriter(output);
        writer.WriteStartArray();
        foreach (ModelEntry model in models) writer.WriteStringValue(model.Id);
        writer.WriteEndArray();
    });

    private static string? NameOf(string path)
    {
        foreach (string collection in Collections)
            if (path.StartsWith(collection + "/", StringComparison.Ordinal)) return path[(collection.Length + 1)..];
        return null;
    }
}
