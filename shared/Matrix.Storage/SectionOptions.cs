using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Matrix.Storage;

/// <summary>Options that are one flat section of homeserver.yaml, its keys in snake_case.</summary>
public static class SectionOptions
{
    /// <summary>
    /// Makes <c>IOptions&lt;T&gt;</c> of a section such as <c>database:args</c>. A value that does not fit is reported at the start by its whole
    /// key, with all other mistakes. May be called again for the same class.
    /// </summary>
    public static IServiceCollection AddSection<T>(this IServiceCollection services, IConfiguration configuration, string section) where T : class
    {
        if (services.Any(service => service.ServiceType == typeof(SectionReader<T>)))
            return services;
        var reader = new SectionReader<T>(configuration.GetSection(section));
        services.AddSingleton(reader);
        services.AddSingleton<IValidateOptions<T>>(reader);
        services.AddOptions<T>().Configure(reader.Read).ValidateOnStart();
        return services;
    }
}

sealed class SectionReader<T>(IConfigurationSection section) : IValidateOptions<T> where T : class
{
    readonly List<string> _unreadable = [];

    public void Read(T options)
    {
        _unreadable.Clear();
        foreach (var property in typeof(T).GetProperties().Where(property => property.CanWrite))
        {
            if (section[Key(property.Name)] is not { Length: > 0 } text)
                continue;
            try
            {
                property.SetValue(options, Value(text, property.PropertyType));
            }
            catch (Exception e) when (e is FormatException or OverflowException or InvalidCastException)
            {
                _unreadable.Add($"{Path(property.Name)}: '{text}' is not {Wanted(property.PropertyType)}");
            }
        }
    }

    static object Value(string text, Type type) =>
        type == typeof(bool) ? ConfiguredFlag.Parse(text) ?? throw new FormatException() : Convert.ChangeType(text, type, CultureInfo.InvariantCulture);

    static string Wanted(Type type) => type == typeof(bool) ? ConfiguredFlag.Wanted : type == typeof(int) ? "a number" : $"a {type.Name}";

    public ValidateOptionsResult Validate(string? name, T options)
    {
        var results = new List<ValidationResult>();
        Validator.TryValidateObject(options, new ValidationContext(options), results, validateAllProperties: true);
        var failures = _unreadable.Concat(results.Select(result => $"{Path(result.MemberNames.FirstOrDefault())}: {result.ErrorMessage}")).ToList();
        return failures.Count > 0 ? ValidateOptionsResult.Fail(failures) : ValidateOptionsResult.Success;
    }

    string Path(string? property) => section.Path.Replace(':', '.') + (property is null ? "" : "." + Key(property));

    static string Key(string property) => JsonNamingPolicy.SnakeCaseLower.ConvertName(property);
}
