using System.Text;
using Aiproxy.Upstreams;
using Microsoft.AspNetCore.Http;
using Serilog;
using Serilog.Events;

namespace Aiproxy.Server;

/// <summary>At level debug: the headers of a request or of its answer, secrets masked.</summary>
public static class HeaderLog
{
    // Some tools put kilobytes of their own into a header; its beginning tells what it is.
    private const int ShownChars = 120;

    // A header nobody heard of may carry a credential all the same; its name tells.
    private static readonly string[] SecretWords = ["auth", "key", "token", "secret", "password", "cookie", "credential", "signature"];

    /// <param name="what"><c>request</c> or <c>answer</c>.</param>
    public static void Write(ILogger log, string id, string what, IHeaderDictionary headers)
    {
        if (!log.IsEnabled(LogEventLevel.Debug)) return;
        var text = new StringBuilder();
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in headers)
        {
            if (text.Length > 0) text.Append("; ");
            text.Append(name).Append(": ").Append(IsSecret(name) ? "***" : Shown(values.ToString()));
        }
        log.Debug("{What:l} {Id:l} headers {Headers}", what, id, text.ToString());
    }

    private static bool IsSecret(string name)
    {
        if (HeaderRules.IsCredential(name)) return true;
        foreach (string word in SecretWords)
            if (name.Contains(word, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }

    private static string Shown(string value) => value.Length <= ShownChars ? value : value[..ShownChars] + "...";
}
