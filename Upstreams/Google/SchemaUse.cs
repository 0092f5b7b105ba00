namespace Aiproxy.Upstreams.Google;

/// <summary>What a schema is for: each use bears other keywords.</summary>
public enum SchemaUse
{
    /// <summary>Arguments of a function, for models that are held to the schema.</summary>
    ValidatedTool,

    /// <summary>Arguments of a function.</summary>
    Tool,

    /// <summary>The form of the answer.</summary>
    Response,
}
