namespace Aiproxy.Balancer;

/// <summary>One answer and the conversation that led to it.</summary>
/// <param name="Created">Seconds since 1970.</param>
/// <param name="Input">All input items up to the answer, as raw JSON with commas between.</param>
/// <param name="Output">The answer's items, likewise.</param>
/// <param name="Response">The response object as the client was sent it.</param>
public sealed record StoredResponse(string Id, long Created, byte[] Input, byte[] Output, byte[] Response)
{
    /// <summary>Memory that it holds, roughly.</summary>
    public long Bytes => 200 + Input.Length + Output.Length + Response.Length;
}
