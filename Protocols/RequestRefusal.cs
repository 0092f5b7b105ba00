using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>What a request writer says of members that its protocol has no word for.</summary>
public static class RequestRefusal
{
    /// <param name="target">The protocol's name as people know it.</param>
    public static ProtocolException Of(string path, string target) =>
        new(ErrorKind.Unsupported, $"`{path}` is not supported when the request is translated to {target}", path) { Target = target };

    /// <summary>Throws for the first member that was read as untranslatable.</summary>
    public static void Check(ChatRequest request, string target)
    {
        if (request.Untranslatable.Count > 0) throw Of(request.Untranslatable[0].Path, target);
    }

    /// <summary>The same refusal in words that name the client's protocol too; a writer does not know it.</summary>
    /// <param name="protocol">The client protocol's <c>Name</c>.</param>
    public static ProtocolException NamingBoth(ProtocolException refusal, string protocol) =>
        refusal.Error.Param == PreviousResponse ? UnknownPrevious() : new(refusal.Error with { Message = $"`{refusal.Error.Param}` is not supported when {Shown(protocol)} is translated to {refusal.Target}" }) { Target = refusal.Target };

    private const string PreviousResponse = "previous_response_id";

    /// <summary>An earlier answer that is kept neither here nor by the upstream. Clients know the code, and send the whole conversation instead.</summary>
    public static ProtocolException UnknownPrevious() => new(new ProxyError(ErrorKind.InvalidRequest,
        "Previous response not found: the answer that `previous_response_id` names is not kept here, or no longer") { Param = PreviousResponse, Code = "previous_response_not_found" });

    private static string Shown(string protocol) => protocol switch
    {
        "anthropic" => "Anthropic Messages",
        "openai" => "OpenAI Chat Completions",
        "responses" => "OpenAI Responses",
        "gemini" => "Gemini generateContent",
        _ => "the request",
    };
}
