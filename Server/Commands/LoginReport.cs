using Aiproxy.OAuthCache;

namespace Aiproxy.Server.Commands;

/// <summary>What the user reads after a sign-in. Never a token.</summary>
public static class LoginReport
{
    public static void Write(TextWriter output, LoginGrant grant, LoginWritten written)
    {
        output.WriteLine();
        output.WriteLine($"Signed in: {(grant.Email is { } email ? LoginText.Plain(email) : "the provider tells no e-mail")}");
        if (grant.Plan is { } plan) output.WriteLine($"Plan: {LoginText.Plain(plan)}");
        output.WriteLine($"Access until {LoginTime.Text(grant.ExpiresAt)}; renewed by itself.");
        foreach (string note in grant.Notes) output.WriteLine(note);
        if (written.IsElsewhere) output.WriteLine("The file named with -o holds another account and was left as it is.");
        output.WriteLine($"{(written.IsReplaced ? "Tokens replaced in" : "Written:")} {written.Path}");
        output.WriteLine();
        output.WriteLine("Lines for the configuration:");
        output.WriteLine();
        string type = grant.Facts.Provider.Type;
        output.WriteLine("upstreams:");
        output.WriteLine($"  - name: {type}");
        output.WriteLine($"    api_type: {type}");
        output.WriteLine($"    auth_files: '{written.Path.Replace("'", "''", StringComparison.Ordinal)}'");
    }
}
