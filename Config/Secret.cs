namespace Aiproxy.Config;

/// <summary>A key, token or password. Printing it by accident prints nothing of it.</summary>
public sealed class Secret(string value) : IEquatable<Secret>
{
    /// <summary>The plain value. Every caller of this is a place to review.</summary>
    public string Reveal() => value;

    /// <summary>Always <c>***</c>.</summary>
    public override string ToString() => "***";

    public bool Equals(Secret? other) => other is not null && string.Equals(value, other.Reveal(), StringComparison.Ordinal);

    public override bool Equals(object? obj) => Equals(obj as Secret);

    public override int GetHashCode() => value.GetHashCode(StringComparison.Ordinal);
}
