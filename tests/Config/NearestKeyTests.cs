using Aiproxy.Config;

namespace Aiproxy.Tests.Config;

public sealed class NearestKeyTests
{
    private static readonly string[] Keys = ["name", "weight", "token", "base_url", "auth_files", "api-key", "max_concurrent"];

    [Theory]
    [InlineData("wieght", "weight")]
    [InlineData("tokens", "token")]
    [InlineData("baseurl", "base_url")]
    [InlineData("Base-URL", "base_url")]
    [InlineData("api_key", "api-key")]
    [InlineData("auth_file", "auth_files")]
    [InlineData("nam", "name")]
    [InlineData("max_concurency", "max_concurrent")]
    public void MistypedKey_FindsItsNeighbour(string word, string expected) => Assert.Equal(expected, NearestKey.Find(word, Keys));

    [Theory]
    [InlineData("retries")]
    [InlineData("")]
    [InlineData("ab")]
    public void ForeignWord_FindsNothing(string word) => Assert.Null(NearestKey.Find(word, Keys));

    [Fact]
    public void EndlessWord_FindsNothing() => Assert.Null(NearestKey.Find(new string('a', 1_000_000), Keys));

    [Theory]
    [InlineData("", "", 0)]
    [InlineData("", "abc", 3)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("ab", "ba", 1)]
    [InlineData("same", "same", 0)]
    public void Distance_CountsSteps(string from, string to, int expected) => Assert.Equal(expected, NearestKey.Distance(from, to));
}
