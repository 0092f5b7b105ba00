using Aiproxy.Config;
using static Aiproxy.Tests.Config.Sample;

namespace Aiproxy.Tests.Config;

public sealed class ListenReaderTests
{
    [Theory]
    [InlineData("", "127.0.0.1", 8080)]
    [InlineData("listen: ':9000'", "127.0.0.1", 9000)]
    [InlineData("listen: '9000'", "127.0.0.1", 9000)]
    [InlineData("listen: 9000", "127.0.0.1", 9000)]
    [InlineData("listen: 0", "127.0.0.1", 0)]
    [InlineData("listen: 127.0.0.2:9000", "127.0.0.2", 9000)]
    [InlineData("listen: '[::1]:9000'", "::1", 9000)]
    [InlineData("listen: LocalHost:9000", "localhost", 9000)]
    [InlineData("bind: localhost", "localhost", 8080)]
    [InlineData("bind: '::1'", "::1", 8080)]
    [InlineData("bind: '[::1]'", "::1", 8080)]
    [InlineData("bind: 0.0.0.0\nlisten: '127.0.0.1:1'", "127.0.0.1", 1)]
    [InlineData("bind: '*'\nallow_unauthenticated: yes", "*", 8080)]
    [InlineData("bind: '::'\nallow_unauthenticated: on\nlisten: 81", "::", 81)]
    [InlineData("bind: 127.0.0.1\nlisten: '0.0.0.0:82'\napi-key: sk-fake", "0.0.0.0", 82)]
    public void Address_InEachForm_IsRead(string keys, string host, int port) => Assert.Equal(new ListenConfig(host, port), Good(ReadRoot(keys)).Listen);

    [Theory]
    [InlineData("listen: ':99999'", "listen: expected ':port'")]
    [InlineData("listen: ':-1'", "listen: expected ':port'")]
    [InlineData("listen: 127.0.0.1", "listen: expected ':port'")]
    [InlineData("listen: ':http'", "got ':http'")]
    [InlineData("listen: '::1:8080'", "in brackets")]
    [InlineData("listen: example.com:80", "expected an IP address, localhost or *")]
    [InlineData("listen: [1, 2]", "listen: expected text, got a list")]
    [InlineData("bind: 8080", "bind: expected an IP address, localhost or * as the host, got '8080'")]
    [InlineData("bind: 127.1", "bind: expected an IP address")]
    [InlineData("bind: 'a b'", "bind: expected an IP address")]
    public void WrongAddress_IsRefused(string keys, string expected) => Assert.Contains(expected, OneError(ReadRoot(keys)));

    [Theory]
    [InlineData("bind: 0.0.0.0", "3:7: bind: everybody")]
    [InlineData("listen: '0.0.0.0:80'", "3:9: listen: everybody")]
    [InlineData("bind: '*'", "bind: everybody")]
    [InlineData("bind: '::'", "bind: everybody")]
    [InlineData("bind: 192.0.2.1", "bind: everybody")]
    [InlineData("bind: 0.0.0.0\nallow_unauthenticated: false", "bind: everybody")]
    [InlineData("bind: 0.0.0.0\napi-key: []", "bind: everybody")]
    [InlineData("bind: 0.0.0.0\napi-key: ['  ']", "bind: everybody")]
    [InlineData("bind: 0.0.0.0\napi-key: ${KEY:-}", "bind: everybody")]
    public void OpenListener_WithoutKeys_IsRefused(string keys, string expected) => Assert.Contains(expected, OneError(ReadRoot(keys)));

    [Fact]
    public void OpenListener_WithBrokenKey_IsToldAsBrokenKeyOnly() => Assert.Contains("api-key[0]: expected text, got a list", OneError(ReadRoot("bind: 0.0.0.0\napi-key: [[x]]")));

    [Fact]
    public void Tls_FilesBesideTheConfiguration_AreWatched()
    {
        using var folder = new TempFolder();
        string certificate = folder.Write("c.pem", "fake"), key = folder.Write("k.pem", "fake");
        ConfigResult result = Reader().Read(folder.Write("config.yaml", Echo + "tls: {cert: c.pem, key: ./k.pem}"));
        Assert.Equal(new TlsConfig(certificate, key), Good(result).Tls);
        Assert.Equal([folder.At("config.yaml"), certificate, key], result.WatchedFiles);
    }

    [Theory]
    [InlineData("tls: {cert: none.pem}", "tls.key: required|tls.cert: the PEM file cannot be read: there is no such file")]
    [InlineData("tls: {}", "tls.cert: required|tls.key: required")]
    [InlineData("tls: {cert: /, key: /dev/null, ca: x}", "tls.cert: the PEM file cannot be read: it is a folder|unknown key 'ca'; the keys here are cert, key")]
    [InlineData("tls: cert.pem", "tls: expected a mapping, got text")]
    public void WrongTls_IsRefused(string keys, string expected)
    {
        var errors = ReadRoot(keys).Errors;
        Assert.Equal(expected.Split('|').Length, errors.Count);
        Assert.All(expected.Split('|').Zip(errors), pair => Assert.Contains(pair.First, pair.Second.ToString()));
    }
}
