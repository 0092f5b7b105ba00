using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>What a request writer says of members that its protocol has no word for.</summary>
public static class RequestRefusal
{
    /// <param name="target">The protocol's name as people know it.</param>
    public static ProtocolException Of(string path, string target) =>
        new(ErrorKind.Unsupported, $"`{path}` is not supported when the request is translated to {target}", path);

    /// <summary>Throws for the first member that was read as untranslatable.</summary>
    public static void Check(ChatRequest request, string target)
    {
        if (request.Untranslatable.Count > 0) throw Of(request.Untranslatable[0].Path, target);
    }
}
