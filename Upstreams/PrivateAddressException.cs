namespace Aiproxy.Upstreams;

/// <summary>A base URL resolves to an address that <c>allow_private: false</c> refuses.</summary>
public sealed class PrivateAddressException() : IOException("the base URL resolves to a private address");
