using System.Security.Cryptography;
using System.Text;
using Aiproxy.Config;
using static Aiproxy.Tests.Config.Sample;

namespace Aiproxy.Tests.Config;

public sealed class ClientKeysReaderTests
{
    private static readonly string Hash = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes("sk-fake-1"))).ToLowerInvariant();

    [Theory]
    [InlineData("api-key: sk-fake-1")]
    [InlineData("api_keys: [sk-fake-1]")]
    [InlineData("api-key: {key: ' sk-fake-1 '}")]
    [InlineData("api-key: [\"${KEY}\"]")]
    public void Key_InEachForm_IsRead(string text)
    {
        ClientKeyConfig key = Assert.Single(Good(ReadRoot(text, ("KEY", "sk-fake-1"))).ClientKeys);
        Assert.Equal(("key-1", "sk-fake-1"), (key.Name, key.Key!.Reveal()));
    }

    [Fact]
    public void Mapping_IsReadWhole()
    {
        ClientKeyConfig key = Good(ReadRoot($"api-key:\n  - {{name: n, key_sha256: {Hash}, models: 'claude-*', requests_per_minute: 1, tokens_per_minute: 2, max_concurrent: 3}}")).ClientKeys[0];
        Assert.Equal(Hash, Convert.ToHexStringLower(key.KeySha256!));
        Assert.Null(key.Key);
        Assert.Equal("n", key.Name);
        Assert.Equal(["claude-*"], key.Models);
        Assert.Equal((1, 2L, 3), (key.RequestsPerMinute, key.TokensPerMinute, key.MaxConcurrent));
    }

    [Fact]
    public void BlankAndRepeated_AreLeftOutWithWarnings()
    {
        ConfigResult result = ReadRoot($"api-key: [sk-fake-1, '', sk-fake-2, ~, sk-fake-1, {{key_sha256: {Hash}}}]");
        Assert.Equal(["key-1", "key-2"], Good(result).ClientKeys.Select(key => key.Name));
        Assert.Equal(["api-key[1]", "api-key[3]", "api-key[4]", "api-key[5]"], result.Warnings.Select(problem => problem.Path));
        Assert.Equal([true, true, false, false], result.Warnings.Select(problem => problem.Message.Contains("blank")));
    }

    [Theory]
    [InlineData("api-key: {}", "api-key: a client key needs key or key_sha256")]
    [InlineData("api-key: [{name: x}]", "api-key[0]: a client key needs key or key_sha256")]
    [InlineData("api-key: [{key: sk-fake, key_sha256: HASH}]", "give key or key_sha256, not both")]
    [InlineData("api-key: [{key_sha256: 12ab}]", "api-key[0].key_sha256: expected 64 hexadecimal digits")]
    [InlineData("api-key: [{key: sk-fake, requests_per_minute: 0}]", "requests_per_minute: expected a whole number of 1 or more, got '0'")]
    [InlineData("api-key: [{key: sk-fake, model: x}]", "unknown key 'model'; did you mean 'models'?")]
    [InlineData("api-key: [{key: sk-fake, models: ['', ' ']}]", "models: every entry is blank")]
    [InlineData("api-key: \"sk-fake\\nx\"", "api-key: holds a line break")]
    [InlineData("api-key: [{key: \"sk-fake\\r\"}, {key: \"sk-\\0fake\"}]", "api-key[1].key: holds a line break")]
    [InlineData("api-key: [{name: n, key: a}, {name: n, key: b}]", "api-key[1].name: this is already the name of api-key[0]")]
    [InlineData("api-key: [a]\napi_keys: [b]", "api_keys: api-key and api_keys are two names")]
    public void WrongKey_IsRefused(string text, string expected) => Assert.Contains(expected, OneError(ReadRoot(text.Replace("HASH", Hash))));
}
