using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Matrix.Hosting.Together;

/// <summary>
/// Somebody's request for what the gateway has kept: would its answer still be the one with this tag? Many of them go in one request, and each is answered by the headers of
/// its answer of now, names and values in turn, or by null: then it has to be asked as any other request.
/// </summary>
/// <param name="Target">Path and query as the client wrote them.</param>
/// <param name="Authorization">The client's header of this name.</param>
/// <param name="Address">The client's.</param>
/// <param name="Id">The request's, as in X-Request-Id.</param>
public sealed record SameQuestion(string Target, string Tag, string? Authorization, string? Address, string Id)
{
    /// <summary>Where a service is asked. The gateway routes nobody there.</summary>
    public const string Path = "/internal/same";

    /// <summary>More are not answered together.</summary>
    public const int Most = 64;
}

[JsonSerializable(typeof(SameQuestion[]))]
[JsonSerializable(typeof(string[]?[]))]
public sealed partial class SameQuestionJson : JsonSerializerContext
{
    /// <summary>For reading and writing: header values are full of quotes, and nobody shows them as HTML.</summary>
    public static SameQuestionJson Terse { get; } = new(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
