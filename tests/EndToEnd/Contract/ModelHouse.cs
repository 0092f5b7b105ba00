using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>The provider of all sign-ins together with the model services behind it: what a token is worth is known in one place.</summary>
public sealed partial class ModelHouse : IAsyncDisposable
{
    /// <summary>What clients call with; no service may ever see it.</summary>
    public const string ClientKey = "sk-fake-CLIENTKEY-0";

    private static readonly Dictionary<string, IModelService> s_services = ContractKind.List.GroupBy(kind => kind.Type).ToDictionary(group => group.Key, group => group.First().Service);

    private readonly ConcurrentDictionary<string, Plan> _plans = new();
    private readonly Dictionary<string, FakeUpstream> _keyed = [];
    private int _serial;

    public ModelHouse()
    {
        Provider.Api = request => Answer(request, request.Target.Split('/')[1].Split('?')[0]);
        foreach (ContractKind kind in ContractKind.Keys) _keyed[kind.Type] = new FakeUpstream(request => Answer(request, kind.Type));
    }

    public FakeProvider Provider { get; } = FakeProvider.Start();

    /// <summary>Requests without a plan get a plain answer.</summary>
    public Plan Default { get; } = new(0, Saying.Text);

    public Plan Add(Saying saying)
    {
        var plan = new Plan(Interlocked.Increment(ref _serial), saying);
        _plans[plan.Mark] = plan;
        return plan;
    }

    /// <summary>Value of <c>base_url</c>.</summary>
    public string BaseUrl(string type) => _keyed.TryGetValue(type, out FakeUpstream? upstream) ? upstream.Url : Provider.BaseUrl(type);

    /// <summary>Errors of the fakes themselves.</summary>
    public IReadOnlyList<string> Faults => [.. Provider.Faults, .. _keyed.Values.SelectMany(upstream => upstream.Faults)];

    public async ValueTask DisposeAsync()
    {
        await Provider.DisposeAsync();
        foreach (FakeUpstream upstream in _keyed.Values) await upstream.DisposeAsync();
    }

    private FakeAnswer Answer(RecordedRequest request, string type)
    {
        if (!s_services.TryGetValue(type, out IModelService? service)) return FakeAnswer.Json(404, """{"error":"no such path"}""");
        Plan plan = Mark().Match(request.Text) is { Success: true } mark && _plans.TryGetValue(mark.Value, out Plan? known) ? known : Default;
        plan.Requests.Enqueue(request);
        FakeProviderGrant? grant = null;
        if (!_keyed.ContainsKey(type))
        {
            string? token = new FakeProviderCall(request).Bearer;
            grant = Provider.Ledger.ByAccessToken(token);
            if (grant?.Type != type || token == plan.RefusedToken) return service.Unauthorized(plan.WordsFor(request));
        }
        else if (!IsKey(request, type))
        {
            return service.Unauthorized(plan.WordsFor(request));
        }
        string? broken = request.Everything.Contains("CLIENTKEY", StringComparison.Ordinal) ? "the client's key has got here" : service.Broken(request, grant);
        if (broken is null) return ServicePlay.Answer(service, plan, request);
        plan.Broken.Enqueue(broken);
        return service.Refuse(broken);
    }

    private static bool IsKey(RecordedRequest request, string type)
    {
        (string header, string prefix) = Dialects.Of(type).Credential;
        return request.Header(header)?.StartsWith(prefix + "sk-fake-upstream-", StringComparison.Ordinal) == true;
    }

    [GeneratedRegex("plan-[0-9]+-mark")]
    private static partial Regex Mark();
}
