using Microsoft.AspNetCore.Http;

namespace Matrix.Http;

/// <summary>The answer <c>{}</c>.</summary>
public readonly record struct Empty
{
    /// <summary>For handlers that have other answers too.</summary>
    public static IResult Result { get; } = Results.Json(default(Empty), MatrixJson.Options);
}
