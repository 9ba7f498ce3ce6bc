using Microsoft.Extensions.Configuration;

namespace Matrix.Hosting.Configuration;

public static class ConfigurationReading
{
    /// <summary>
    /// A list of strings: YAML's list, or one comma-separated value. The latter wins, so that one environment variable replaces the
    /// file's whole list instead of only its first items.
    /// </summary>
    public static IReadOnlyList<string> GetList(this IConfiguration configuration, string key) => configuration.GetSection(key).GetList();

    /// <inheritdoc cref="GetList(IConfiguration, string)"/>
    public static IReadOnlyList<string> GetList(this IConfigurationSection section)
    {
        if (section.Value is { } line)
            return line.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return [.. section.GetChildren().Select(child => child.Value).OfType<string>()];
    }
}
