using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace Matrix.Hosting.Configuration;

/// <summary>
/// Fills an options class from configuration: a property's key is its name in snake_case (or the one of [ConfigurationKeyName]), durations and
/// sizes are as Synapse writes them, classes nest, lists may be one comma-separated line. Nothing throws: each mistake is noted and the
/// rest read on, so that the operator sees them all.
/// </summary>
sealed class OptionsReader(List<ConfigurationMistake> mistakes)
{
    /// <param name="options">With the defaults, where they are not those of the class: of a section within another class.</param>
    public object Read(Type type, IConfiguration configuration, string prefix, object? options = null)
    {
        options ??= Activator.CreateInstance(type)!;
        var failed = new HashSet<string>();
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.SetMethod is null) continue;
            var key = KeyOf(property);
            if (!ReadProperty(options, property, configuration.GetSection(key), prefix + key)) failed.Add(property.Name);
        }

        Validate(options, type, prefix, failed);
        return options;
    }

    bool ReadProperty(object options, PropertyInfo property, IConfigurationSection section, string key)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        if (ElementOf(type) is { } element)
        {
            if (section.Value is not null || section.GetChildren().Any()) property.SetValue(options, ReadList(type, element, section, key));
            return true;
        }

        if (ValueOf(type) is { } valueType)
        {
            if (section.GetChildren().Any()) property.SetValue(options, ReadDictionary(valueType, section, key));
            return true;
        }

        if (IsNested(type))
        {
            property.SetValue(options, Read(type, section, key + ".", property.GetValue(options)));
            return true;
        }

        return section.Value is not { } text || Convert(text, type, property, key, value => property.SetValue(options, value));
    }

    object ReadList(Type type, Type element, IConfigurationSection section, string key)
    {
        var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(element))!;
        if (IsNested(element))
        {
            foreach (var child in section.GetChildren()) list.Add(Read(element, child, $"{key}.{child.Key}."));
        }
        else
        {
            foreach (var text in section.GetList()) Convert(text, element, null, key, value => list.Add(value));
        }

        if (!type.IsArray) return list;
        var array = Array.CreateInstance(element, list.Count);
        list.CopyTo(array, 0);
        return array;
    }

    IDictionary ReadDictionary(Type valueType, IConfigurationSection section, string key)
    {
        var map = (IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(typeof(string), valueType))!;
        foreach (var child in section.GetChildren())
        {
            var childKey = $"{key}.{child.Key}";
            if (ElementOf(valueType) is { } element) map[child.Key] = ReadList(valueType, element, child, childKey);
            else if (IsNested(valueType)) map[child.Key] = Read(valueType, child, childKey + ".");
            else if (child.Value is { } text) Convert(text, valueType, null, childKey, value => map[child.Key] = value);
        }

        return map;
    }

    bool Convert(string text, Type type, PropertyInfo? property, string key, Action<object> set)
    {
        var (value, wanted) = OptionValues.Parse(text, type, property?.GetCustomAttribute<ByteSizeAttribute>() is not null);
        if (value is null)
        {
            mistakes.Add(new ConfigurationMistake(key, $"'{text}' is not {wanted}"));
            return false;
        }

        set(value);
        return true;
    }

    void Validate(object options, Type type, string prefix, HashSet<string> failed)
    {
        var results = new List<ValidationResult>();
        var context = new ValidationContext(options);
        Validator.TryValidateObject(options, context, results, validateAllProperties: true);
        // the framework asks the object itself only when its properties are good: here all mistakes come at once
        if (results.Count > 0 && options is IValidatableObject own) results.AddRange(own.Validate(context));
        foreach (var result in results.DistinctBy(result => (result.ErrorMessage, result.MemberNames.FirstOrDefault())))
        {
            var name = result.MemberNames.FirstOrDefault() ?? "";
            if (failed.Contains(name)) continue;
            var property = type.GetProperty(name);
            var key = prefix + (property is null ? name : KeyOf(property));
            mistakes.Add(new ConfigurationMistake(key.TrimEnd('.'), Reason(result, property, options)));
        }
    }

    static string Reason(ValidationResult result, PropertyInfo? property, object options)
    {
        var value = property?.GetValue(options);
        if (property?.GetCustomAttribute<RequiredAttribute>() is not null && value is null or "") return "is missing";
        // it may be within its limits, and wrong beside another key
        if (property?.GetCustomAttribute<RangeAttribute>() is { } range && !range.IsValid(value))
            return range.Maximum is double and >= long.MaxValue ? $"must be at least {Text(range.Minimum)}, not {Text(value)}" : $"must be between {Text(range.Minimum)} and {Text(range.Maximum)}, not {Text(value)}";
        return result.ErrorMessage ?? "is not valid";

        string Text(object? bound) => OptionValues.Text(
            bound, Nullable.GetUnderlyingType(property!.PropertyType) ?? property.PropertyType, property.GetCustomAttribute<ByteSizeAttribute>() is not null);
    }

    static string KeyOf(PropertyInfo property) =>
        property.GetCustomAttribute<ConfigurationKeyNameAttribute>()?.Name ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);

    static bool IsNested(Type type) => type is { IsClass: true, IsAbstract: false } && type != typeof(string) && type != typeof(Uri)
        && type.GetConstructor(Type.EmptyTypes) is not null && ElementOf(type) is null;

    static Type? ElementOf(Type type) =>
        type.IsArray ? type.GetElementType()
        : type.IsGenericType && type.GetGenericTypeDefinition() is var generic
            && (generic == typeof(List<>) || generic == typeof(IReadOnlyList<>) || generic == typeof(IList<>) || generic == typeof(IReadOnlyCollection<>))
            ? type.GetGenericArguments()[0]
            : null;

    static Type? ValueOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() is var generic
        && (generic == typeof(Dictionary<,>) || generic == typeof(IReadOnlyDictionary<,>) || generic == typeof(IDictionary<,>))
            ? type.GetGenericArguments()[1]
            : null;
}

/// <summary>A number of bytes that the configuration may write as 500K, 50M, 1G.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ByteSizeAttribute : Attribute;
