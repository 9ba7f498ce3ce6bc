using Microsoft.Extensions.Configuration;

namespace Matrix.Storage;

/// <summary>True and false in homeserver.yaml. Matrix.Hosting, which reads most sections and which nothing here may reference, takes the same words.</summary>
public static class ConfiguredFlag
{
    /// <summary>How a mistake says what was wanted.</summary>
    public const string Wanted = "true or false";

    /// <summary>Null: the key is absent.</summary>
    /// <exception cref="InvalidOperationException">It is neither; said as the framework's binder says it, so that the start can tell which key it is.</exception>
    public static bool? Read(IConfiguration configuration, string key) => configuration[key] is not { Length: > 0 } text ? null
        : Parse(text) ?? throw new InvalidOperationException($"Failed to convert configuration value '{text}' at '{configuration.GetSection(key).Path}' to type 'Boolean ({Wanted})'.");

    /// <summary>Null: it is neither.</summary>
    public static bool? Parse(string text) => text.ToUpperInvariant() switch
    {
        "TRUE" or "YES" or "ON" or "1" => true,
        "FALSE" or "NO" or "OFF" or "0" => false,
        _ => null,
    };
}
