using System.Net;
using System.Text;

namespace Aiproxy.OAuthCache;

/// <summary>The pages that the browser sees at the end. Static, no script, kept nowhere.</summary>
public static class LoginPage
{
    public static byte[] Done() => Write("200 OK", "Signed in", "aiproxy has what it needs; the terminal says what came of it. You may close this window.");

    public static byte[] Refused(LoginCallback callback) =>
        Write("200 OK", "Not signed in", string.Join(": ", ((string?[])[callback.Error, callback.Description]).OfType<string>()) + ". You may close this window.");

    /// <summary>A callback that is not ours, or is incomplete: the terminal goes on waiting.</summary>
    public static byte[] NotOurs(string why) => Write("400 Bad Request", "Not signed in", why + " aiproxy goes on waiting for the sign-in that the terminal shows.");

    public static byte[] Status(string status) => Write(status, status, "This address is here for one sign-in only.");

    /// <param name="text">May come from anybody; it is escaped here.</param>
    private static byte[] Write(string status, string title, string text)
    {
        string shown = WebUtility.HtmlEncode(text.Length <= 600 ? text : text[..600] + "…");
        string page = $"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{WebUtility.HtmlEncode(title)} - aiproxy</title></head>"
            + $"<body><h1>{WebUtility.HtmlEncode(title)}</h1><p>{shown}</p></body></html>\n";
        byte[] body = Encoding.UTF8.GetBytes(page);
        string head = $"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {body.Length}\r\nCache-Control: no-store\r\n"
            + "Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'none'\r\nConnection: close\r\n\r\n";
        return [.. Encoding.ASCII.GetBytes(head), .. body];
    }
}
