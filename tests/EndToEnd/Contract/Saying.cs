namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>What a model service does with one request that breaks none of its rules.</summary>
public enum Saying
{
    Text,
    Tool,
    Thinking,

    /// <summary>429 of a short window that names (or, where the provider never does, does not name) its end.</summary>
    Limited,

    /// <summary>What the account has paid for is used up.</summary>
    Quota,

    Overloaded,
    Invalid,
    TooLong,

    /// <summary>The account may not.</summary>
    Forbidden,

    /// <summary>Every token is refused, the freshest too.</summary>
    Unauthorized,

    UnknownModel,

    /// <summary>200, then a failure in the place of the first output; whole: an HTTP error.</summary>
    FailsFirst,

    /// <summary>200 and some output, then a failure told in the stream; whole: an HTTP error.</summary>
    FailsLater,

    /// <summary>The connection breaks before any output.</summary>
    CutFirst,

    /// <summary>The connection breaks in the middle of the output.</summary>
    CutLater,

    /// <summary>Some output, then nothing; whole: nothing at all.</summary>
    Stalls,
}
