namespace Aiproxy.Tests;

public sealed class SecretTests
{
    [Fact]
    public void Printed_ShowsNothing() => Assert.Equal("***", new Aiproxy.Config.Secret("sk-fake").ToString());
}
