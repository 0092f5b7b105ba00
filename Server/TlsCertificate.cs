using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Aiproxy.Config;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Serilog;

namespace Aiproxy.Server;

/// <summary>The listener's certificate. Looks at its files every few seconds; a new pair that cannot be read leaves the old one in use.</summary>
/// <remarks>Contents are compared, not times: a symlink swap and a renewal inside one second are seen as well.</remarks>
public sealed class TlsCertificate : IDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    private readonly TlsConfig _config;
    private readonly ILogger _log;
    private readonly TimeProvider _clock;
    private readonly ITimer _timer;
    private byte[] _digest;
    private string? _toldProblem;
    private volatile SslStreamCertificateContext _context;

    private TlsCertificate(TlsConfig config, TimeProvider clock, ILogger log, byte[] digest, SslStreamCertificateContext context)
    {
        _config = config;
        _clock = clock;
        _log = log;
        _digest = digest;
        _context = context;
        WarnOfExpiry();
        _timer = clock.CreateTimer(static state => ((TlsCertificate)state!).Look(), this, LookInterval, LookInterval);
    }

    /// <summary>For the next handshake. Old ones live on in the connections that began with them.</summary>
    public SslStreamCertificateContext Context => _context;

    /// <exception cref="CryptographicException">No PEM, no key, or a key that does not belong to the certificate.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static TlsCertificate Load(TlsConfig config, TimeProvider clock, ILogger log)
    {
        (byte[] digest, SslStreamCertificateContext context) = Read(config, known: null)!.Value;
        return new TlsCertificate(config, clock, log, digest, context);
    }

    /// <summary>Makes an endpoint speak TLS with whatever certificate is current at each handshake.</summary>
    public static void Use(ListenOptions listen, Func<TlsCertificate?> current) => listen.UseHttps(new TlsHandshakeCallbackOptions
    {
        HandshakeTimeout = HandshakeTimeout,
        OnConnection = _ => new(new SslServerAuthenticationOptions
        {
            // null only in the moment when TLS was switched off: the handshake fails, the client tries again.
            ServerCertificateContext = current()?.Context ?? throw new AuthenticationException("TLS was switched off"),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            AllowRenegotiation = false,
        }),
    });

    /// <summary>Reads the files again if they changed.</summary>
    public void Look()
    {
        try
        {
            if (Read(_config, _digest) is not { } changed)
                return;
            (_digest, _context) = changed;
            _toldProblem = null;
            _log.Information("TLS certificate reloaded, valid until {NotAfter:yyyy-MM-dd}", _context.TargetCertificate.NotAfter.ToUniversalTime());
            WarnOfExpiry();
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            // Two files are rarely written in the same moment, so one look may see an unmatched pair. Each problem is told once.
            if (_toldProblem != e.Message)
                _log.Warning("TLS certificate not reloaded, the old one stays: {Reason:l}", e.Message);
            _toldProblem = e.Message;
        }
    }

    public void Dispose() => _timer.Dispose();

    private static (byte[] Digest, SslStreamCertificateContext Context)? Read(TlsConfig config, byte[]? known)
    {
        byte[] certificates = File.ReadAllBytes(config.CertificatePath);
        byte[] key = File.ReadAllBytes(config.KeyPath);
        byte[] digest = SHA256.HashData([.. SHA256.HashData(certificates), .. SHA256.HashData(key)]);
        if (known is not null && digest.AsSpan().SequenceEqual(known))
            return null;

        string pem = Encoding.UTF8.GetString(certificates);
        var leaf = X509Certificate2.CreateFromPem(pem, Encoding.UTF8.GetString(key));
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(pem);

        // offline: no download of missing intermediates at start; what clients need stands in the file.
        return (digest, SslStreamCertificateContext.Create(leaf, chain, offline: true));
    }

    private void WarnOfExpiry()
    {
        DateTime notAfter = _context.TargetCertificate.NotAfter.ToUniversalTime();
        if (notAfter < _clock.GetUtcNow().UtcDateTime)
            _log.Warning("TLS certificate {File:l} expired on {NotAfter:yyyy-MM-dd}", _config.CertificatePath, notAfter);
    }
}
