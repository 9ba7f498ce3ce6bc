using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Matrix.Http;

/// <summary>
/// JSON as the spec writes it: snake_case names, absent instead of null, and a constructor parameter that is neither nullable nor
/// defaulted must be there.
/// </summary>
public static class MatrixJson
{
    static readonly IJsonTypeInfoResolver Resolver = new DefaultJsonTypeInfoResolver().WithAddedModifier(NullableIsOptional);

    public static JsonSerializerOptions Options { get; } = Create();

    public static void Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.PropertyNameCaseInsensitive = false;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
        // relaxed: the answers are application/json with nosniff, never HTML
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.TypeInfoResolver = Resolver;
    }

    // the serializer alone would demand "device_id": null of a client that has none
    static void NullableIsOptional(JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
            if (property.AssociatedParameter is { IsNullable: true }) property.IsRequired = false;
    }

    static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions();
        Configure(options);
        options.MakeReadOnly();
        return options;
    }
}
