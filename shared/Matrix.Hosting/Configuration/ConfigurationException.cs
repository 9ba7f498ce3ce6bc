namespace Matrix.Hosting.Configuration;

/// <summary>One mistake in the configuration: the key as the operator writes it (<c>database.args.host</c>) and what is wrong with it.</summary>
public sealed record ConfigurationMistake(string Key, string Reason)
{
    public override string ToString() => $"{Key}: {Reason}";
}

/// <summary>Everything that is wrong with the configuration, found before anything starts.</summary>
public sealed class ConfigurationException(IReadOnlyList<ConfigurationMistake> mistakes)
    : Exception("The configuration cannot be used:\n" + string.Join('\n', mistakes.Select(mistake => "  - " + mistake)))
{
    public IReadOnlyList<ConfigurationMistake> Mistakes { get; } = mistakes;

    /// <summary>False: there may be more, because one of them ended the search.</summary>
    public bool IsWhole { get; init; } = true;
}
