namespace Aiproxy.OAuthCache;

/// <summary>What came of one step of a sign-in: a value, or why there is none.</summary>
public readonly struct LoginStep<T> where T : class
{
    private LoginStep(T? value, LoginProblem? problem)
    {
        Value = value;
        Problem = problem;
    }

    /// <summary>null exactly where <see cref="Problem"/> is not.</summary>
    public T? Value { get; }

    public LoginProblem? Problem { get; }

    public static implicit operator LoginStep<T>(T value) => new(value, null);

    public static implicit operator LoginStep<T>(LoginProblem problem) => new(null, problem);
}

/// <summary>Why a sign-in ended.</summary>
/// <param name="Line">One line for the user; holds no token, code or secret.</param>
public sealed record LoginProblem(string Line);
