using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Matrix.Federation;
using Matrix.Hosting.Configuration;
using Matrix.Http;
using Matrix.Rooms;
using Matrix.Rooms.Joining;
using Matrix.Storage.Caching;
using Microsoft.Extensions.Configuration;

namespace Matrix.Architecture.Tests;

/// <summary>One key of homeserver.yaml: of a list's item it has <c>[]</c>, of a map's entry <c>&lt;name&gt;</c>.</summary>
sealed record ConfigurationKey(string Name, string OptionsClass, string Value, string Default, string Meaning)
{
    // the last may have a password in it
    static readonly string[] s_secrets = ["password", "_pass", "_secret", "secret_access_key", "pepper", "https_proxy"];

    public bool IsSecret => Value == "text" && s_secrets.Any(word => Name.EndsWith(word, StringComparison.Ordinal));

    public bool IsSection => Value is "section" or "list of sections" or "sections by name";
}

/// <summary>Every key that an options class has: what the classes say of themselves, by their attributes, their defaults and their doc comments.</summary>
static partial class ConfigurationKeys
{
    // what is read by hand, and not by AddMatrixOptions or AddSection
    static readonly (Type Type, string? Section)[] s_readByHand =
        [(typeof(FederationOptions), null), (typeof(RoomOptions), null), (typeof(PartialJoinOptions), "partial_joins"), (typeof(CacheOptions), "caches")];

    static readonly Dictionary<string, string> s_named = new() { [$"{nameof(FederationOptions)}.{nameof(FederationOptions.Times)}"] = "federation" };

    /// <summary>The two keys of each rate. They are said once, and not for each.</summary>
    public static IEnumerable<ConfigurationKey> OfRates => Of(nameof(RateLimit), typeof(RateLimit), null, "rc_….");

    static readonly Lazy<IReadOnlyList<ConfigurationKey>> s_all = new(() => [.. Classes().SelectMany(found => Of(found.Type, found.Section))]);

    /// <summary>By class; a key that two classes read is there twice.</summary>
    public static IReadOnlyList<ConfigurationKey> All => s_all.Value;

    static IEnumerable<(Type Type, string? Section)> Classes()
    {
        var types = Repository.ProductAssemblies.SelectMany(assembly => assembly.GetTypes()).ToLookup(type => type.Name);
        return Repository.ProductSources.SelectMany(file => Registration().Matches(File.ReadAllText(file)))
            .Select(match => (types[match.Groups["type"].Value].Single(), match.Groups["section"] is { Success: true } found ? found.Value.Replace(':', '.') : null))
            .Concat(s_readByHand).Distinct();
    }

    static IEnumerable<ConfigurationKey> Of(Type type, string? section) =>
        Of(type.Name, type, Activator.CreateInstance(type, nonPublic: true)!, section is null ? "" : section + ".");

    static IEnumerable<ConfigurationKey> Of(string optionsClass, Type type, object? options, string prefix)
    {
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(IsOption))
        {
            var name = prefix + NameOf(property);
            var of = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            var value = options is not null ? property.GetValue(options) : of == typeof(bool) ? false : null;
            if (value is RateLimit rate)
            {
                yield return new ConfigurationKey(name, optionsClass, "rate", $"`{Text(rate.PerSecond)}` a second, `{Text(rate.BurstCount)}` at once", DocComments.Of(property));
                continue;
            }
            yield return new ConfigurationKey(name, optionsClass, ValueOf(property, of), Default(property, of, value), DocComments.Of(property));
            var (below, at) = ItemOf(of) is { } item && IsSection(item) ? (item, name + "[].")
                : EntryOf(of) is { } entry && IsSection(entry) ? (entry, name + ".<name>.")
                : IsSection(of) ? (of, name + ".")
                : (null, name);
            if (below is null) continue;
            foreach (var key in Of(optionsClass, below, below == of ? value : Empty(below), at)) yield return key;
        }
    }

    static bool IsOption(PropertyInfo property) => property.SetMethod is not null
        || s_readByHand.Any(one => one.Type == property.DeclaringType) && (EntryOf(property.PropertyType) is not null || IsSection(property.PropertyType));

    static object? Empty(Type type) => type.GetConstructor(Type.EmptyTypes) is null ? null : Activator.CreateInstance(type);

    static string NameOf(PropertyInfo property) =>
        s_named.GetValueOrDefault($"{property.DeclaringType!.Name}.{property.Name}")
        ?? property.GetCustomAttribute<ConfigurationKeyNameAttribute>()?.Name
        ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);

    static bool IsSection(Type type) => type.IsClass && type != typeof(string) && type != typeof(Uri) && ItemOf(type) is null && EntryOf(type) is null;

    static Type? ItemOf(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : null;

    static Type? EntryOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() is var generic && (generic == typeof(Dictionary<,>) || generic == typeof(IReadOnlyDictionary<,>))
            ? type.GetGenericArguments()[1]
            : null;

    static string ValueOf(PropertyInfo property, Type type)
    {
        var kind = KindOf(type, property.GetCustomAttribute<ByteSizeAttribute>() is not null);
        return Limits(property, type) is { Length: > 0 } limits ? $"{kind}, {limits}" : kind;
    }

    static string KindOf(Type type, bool isSize = false) => type switch
    {
        _ when ItemOf(type) is { } item => IsSection(item) ? "list of sections" : "list",
        _ when EntryOf(type) is { } entry => IsSection(entry) ? "sections by name" : $"by name: {KindOf(entry)}",
        _ when type.IsEnum => string.Join(", ", Enum.GetNames(type)).ToLowerInvariant(),
        _ when isSize => "size",
        _ when type == typeof(bool) => "true, false",
        _ when type == typeof(TimeSpan) => "duration",
        _ when type == typeof(int) || type == typeof(long) => "whole number",
        _ when type == typeof(double) => "number",
        _ when type == typeof(Uri) => "address",
        _ when type == typeof(string) => "text",
        _ => "section",
    };

    static string Limits(PropertyInfo property, Type type)
    {
        var isSize = property.GetCustomAttribute<ByteSizeAttribute>() is not null;
        List<string> limits = [];
        if (property.GetCustomAttribute<RangeAttribute>() is { } range)
        {
            var least = Bound(range.Minimum, type, isSize);
            limits.Add(range.Maximum is double and >= long.MaxValue ? $"{least} or more" : $"{least} to {Bound(range.Maximum, type, isSize)}");
        }
        if (property.GetCustomAttribute<RegularExpressionAttribute>() is { } pattern) limits.Add($"as `{pattern.Pattern.TrimStart('^').TrimEnd('$')}`");
        if (property.GetCustomAttribute<MinLengthAttribute>() is { } shortest) limits.Add($"at least {shortest.Length}");
        if (property.GetCustomAttribute<MaxLengthAttribute>() is { } longest) limits.Add($"at most {longest.Length}");
        return string.Join(", ", limits);
    }

    static string Bound(object bound, Type type, bool isSize) =>
        type == typeof(TimeSpan) ? Durations.Text(TimeSpan.Parse((string)bound, CultureInfo.InvariantCulture)) : Text(bound, isSize);

    static string Default(PropertyInfo property, Type type, object? value)
    {
        if (IsSection(type)) return "";
        var text = value is null or "" || value is IEnumerable list and not string && !list.Cast<object>().Any()
            ? ""
            : $"`{Text(value, property.GetCustomAttribute<ByteSizeAttribute>() is not null)}`";
        return text.Length == 0 && property.GetCustomAttribute<RequiredAttribute>() is not null ? "must be set" : text;
    }

    static string Text(object value, bool isSize = false) => value switch
    {
        bool flag => flag ? "true" : "false",
        TimeSpan time => Durations.Text(time),
        Enum one => one.ToString().ToLowerInvariant(),
        string text => text,
        IFormattable number when isSize => ByteSizes.Text(Convert.ToInt64(number, CultureInfo.InvariantCulture)),
        IFormattable number => number is double ? number.ToString("0.#######", CultureInfo.InvariantCulture) : number.ToString("0", CultureInfo.InvariantCulture),
        IEnumerable list => $"[{string.Join(", ", list.Cast<object>().Select(item => Text(item)))}]",
        _ => $"{{{string.Join(", ", value.GetType().GetProperties().Select(property => $"{NameOf(property)}: {Text(property.GetValue(value)!)}"))}}}",
    };

    [GeneratedRegex(@"\b(?:AddMatrixOptions|AddSection)<(?<type>[A-Z]\w+)>\((?:[\w.]+, )?(?:""(?<section>[\w:]+)"")?\)")]
    private static partial Regex Registration();
}
