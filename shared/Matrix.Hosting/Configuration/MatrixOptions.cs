using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Matrix.Hosting.Configuration;

public static partial class MatrixOptions
{
    /// <summary>
    /// Makes <typeparamref name="T"/> injectable (as itself and as <c>IOptions&lt;T&gt;</c>), read from a section of homeserver.yaml and checked,
    /// together with all others, before anything starts. May be called again for the same class.
    /// </summary>
    /// <param name="section">The section's key, such as <c>gateway</c>; null reads the file's top level.</param>
    public static IServiceCollection AddMatrixOptions<T>(this IServiceCollection services, string? section = null)
        where T : class
    {
        if (services.Any(service => service.ServiceType == typeof(OptionsSection<T>))) return services;
        services.AddSingleton(provider => new OptionsSection<T>(provider.GetRequiredService<IConfiguration>(), section));
        services.AddSingleton<OptionsSection>(provider => provider.GetRequiredService<OptionsSection<T>>());
        services.AddSingleton(provider => provider.GetRequiredService<OptionsSection<T>>().Value);
        services.AddSingleton<IOptions<T>>(provider => Options.Create(provider.GetRequiredService<OptionsSection<T>>().Value));
        return services;
    }

    /// <summary>A check that concerns more than one options class, or the world: run with the others, before anything starts.</summary>
    public static IServiceCollection AddConfigurationCheck(
        this IServiceCollection services, Func<IServiceProvider, IEnumerable<ConfigurationMistake>> check) =>
        services.AddSingleton<OptionsSection>(provider => new ConfigurationCheck(() => check(provider)));

    /// <exception cref="ConfigurationException">Everything that is wrong, of every module.</exception>
    public static void CheckConfiguration(IServiceProvider services)
    {
        var mistakes = new List<ConfigurationMistake>();
        foreach (var section in services.GetServices<OptionsSection>()) mistakes.AddRange(section.Mistakes);
        try
        {
            services.GetService<IStartupValidator>()?.Validate();
        }
        catch (OptionsValidationException e)
        {
            mistakes.AddRange(Mistakes(e));
        }
        catch (AggregateException e)
        {
            mistakes.AddRange(e.InnerExceptions.OfType<OptionsValidationException>().SelectMany(Mistakes));
        }

        catch (InvalidOperationException e) when (Unconvertible().Match(e.Message) is { Success: true } found)
        {
            // what the framework's own binder says, at the first of them; what it would have read after that has not been looked at
            var key = found.Groups["key"].Value.Replace(ConfigurationPath.KeyDelimiter, ".", StringComparison.Ordinal);
            mistakes.Add(new ConfigurationMistake(key, $"'{found.Groups["value"].Value}' is not of the kind {found.Groups["type"].Value}"));
            throw new ConfigurationException([.. mistakes.Distinct()]) { IsWhole = false };
        }
        catch (FormatException e)
        {
            // what a class that reads its keys by hand says of a value: which key it is stands in no exception
            mistakes.Add(new ConfigurationMistake("a key", e.Message));
            throw new ConfigurationException([.. mistakes.Distinct()]) { IsWhole = false };
        }

        if (mistakes.Count > 0) throw new ConfigurationException([.. mistakes.Distinct()]);
    }

    [GeneratedRegex(@"^Failed to convert configuration value(?: '(?<value>.*)')? at '(?<key>.+)' to type '(?:System\.)?(?<type>.+)'", RegexOptions.Singleline)]
    private static partial Regex Unconvertible();

    /// <summary>What the framework's own validation found: <c>key: reason</c>, <c>Property: key reason</c>, or a text without a key.</summary>
    internal static IEnumerable<ConfigurationMistake> Mistakes(OptionsValidationException e) =>
        from failure in e.Failures
        let found = Found().Match(failure)
        select found.Success
            ? new ConfigurationMistake(found.Groups["key"].Value, OfField().Replace(failure[found.Length..], ""))
            : new ConfigurationMistake(e.OptionsType.Name, failure);

    [GeneratedRegex(@"\A((?<key>[a-z_.]+): |[A-Z]\w*: (?<key>[a-z_.]+) (?=must ))")]
    private static partial Regex Found();

    [GeneratedRegex(@"\AThe field \w+ (?=must )")]
    private static partial Regex OfField();
}

/// <summary>What one module reads of the configuration, and what is wrong with it.</summary>
public abstract class OptionsSection
{
    public abstract IReadOnlyList<ConfigurationMistake> Mistakes { get; }
}

public sealed class OptionsSection<T> : OptionsSection
    where T : class
{
    public OptionsSection(IConfiguration configuration, string? section)
    {
        var mistakes = new List<ConfigurationMistake>();
        var root = section is null ? configuration : configuration.GetSection(section.Replace(".", ConfigurationPath.KeyDelimiter, StringComparison.Ordinal));
        Unchecked = (T)new OptionsReader(mistakes).Read(typeof(T), root, section is null ? "" : section.Replace(':', '.') + ".");
        Mistakes = mistakes;
    }

    public override IReadOnlyList<ConfigurationMistake> Mistakes { get; }

    /// <summary>With the defaults where a value could not be read: for what is built before the configuration is checked.</summary>
    public T Unchecked { get; }

    public T Value => Mistakes.Count == 0 ? Unchecked : throw new ConfigurationException(Mistakes);
}

sealed class ConfigurationCheck(Func<IEnumerable<ConfigurationMistake>> check) : OptionsSection
{
    public override IReadOnlyList<ConfigurationMistake> Mistakes
    {
        get
        {
            try
            {
                return [.. check()];
            }
            catch (ConfigurationException)
            {
                return []; // it needs options that are wrong themselves, and those are reported
            }
        }
    }
}
