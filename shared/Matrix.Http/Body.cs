using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Matrix.Http;

/// <summary>
/// The JSON object a request carries, whatever its Content-Type says (Matrix clients and servers often leave it out). Refuses with
/// M_NOT_JSON, M_BAD_JSON, M_MISSING_PARAM or 413. An empty body is M_NOT_JSON, unless the handler takes <c>Body&lt;T&gt;?</c>.
/// </summary>
public sealed class Body<T>
{
    // what a JsonException cannot tell: which members had to be there
    static readonly string[] Required = [.. RequiredMembers()];

    Body(T value, ReadOnlyMemory<byte> utf8) => (Value, Utf8) = (value, utf8);

    public T Value { get; }

    /// <summary>The object's bytes as they came.</summary>
    public ReadOnlyMemory<byte> Utf8 { get; }

    [SuppressMessage("Design", "CA1000", Justification = "The framework finds a parameter's binder by this name.")]
    public static async ValueTask<Body<T>?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        // who may not come in is told so before anything of theirs is read
        if (Requester.IsDemandedBy(parameter.Member)) await Requester.BindAsync(context, parameter);
        var utf8 = await RequestBytes.Read(context.Request, context.RequestAborted);
        return utf8.IsEmpty ? null : new Body<T>(Parse(utf8.Span), utf8);
    }

    static T Parse(ReadOnlySpan<byte> utf8)
    {
        try
        {
            if (HasHalfSurrogate(utf8)) throw MatrixException.BadJson("The body has half of a surrogate pair: that is no text.");
            if (utf8.TrimStart(" \t\r\n"u8) is [(byte)'{', ..])
                return JsonSerializer.Deserialize<T>(utf8, MatrixJson.Options) ?? throw MatrixException.BadJson("The body must be an object.");
        }
        catch (JsonException e)
        {
            throw Explain(utf8, e);
        }

        throw Explain(utf8, null);
    }

    // The parser lets half a pair pass as long as nobody reads the text, and whoever then reads it fails.
    static bool HasHalfSurrogate(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IndexOf("\\ud"u8) < 0 && utf8.IndexOf("\\uD"u8) < 0) return false;
        var reader = new Utf8JsonReader(utf8);
        while (reader.Read())
        {
            if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName) || !reader.ValueIsEscaped) continue;
            try
            {
                reader.GetString();
            }
            catch (InvalidOperationException)
            {
                return true;
            }
        }
        return false;
    }

    static MatrixException Explain(ReadOnlySpan<byte> utf8, JsonException? cause)
    {
        JsonElement root;
        try
        {
            var reader = new Utf8JsonReader(utf8);
            root = JsonElement.ParseValue(ref reader);
            if (reader.Read()) return MatrixException.NotJson();
        }
        catch (JsonException)
        {
            return MatrixException.NotJson();
        }

        if (root.ValueKind != JsonValueKind.Object) return MatrixException.BadJson("The body must be an object.");
        foreach (var name in Required)
            if (!root.TryGetProperty(name, out _)) return MatrixException.MissingParam(name);
        return MatrixException.BadJson(cause?.Path is { Length: > 1 } path ? $"Bad value at {path.TrimStart('$', '.')}" : "The body has the wrong shape.");
    }

    static IEnumerable<string> RequiredMembers() =>
        MatrixJson.Options.GetTypeInfo(typeof(T)) is { Kind: JsonTypeInfoKind.Object } type
            ? type.Properties.Where(property => property.IsRequired).Select(property => property.Name)
            : [];
}
