namespace Matrix.Storage;

/// <summary>True and false in homeserver.yaml. Matrix.Hosting, which reads most sections and which nothing here may reference, takes the same words.</summary>
public static class ConfiguredFlag
{
    /// <summary>How a mistake says what was wanted.</summary>
    public const string Wanted = "true or false";

    /// <summary>Null: it is neither.</summary>
    public static bool? Parse(string text) => text.ToUpperInvariant() switch
    {
        "TRUE" or "YES" or "ON" or "1" => true,
        "FALSE" or "NO" or "OFF" or "0" => false,
        _ => null,
    };
}
