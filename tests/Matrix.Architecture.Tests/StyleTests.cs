using System.Text.RegularExpressions;

namespace Matrix.Architecture.Tests;

/// <summary>The rules of style that a machine can hold.</summary>
public sealed partial class StyleTests
{
    const int LongestFile = 400;

    [Fact]
    public void No_file_is_too_long_to_read() =>
        Repository.AssertNone(Repository.ProductSources.Select(file => (Repository.Relative(file), Lines: File.ReadLines(file).Count())).Where(f => f.Lines > LongestFile));

    [Fact]
    public void Time_comes_from_the_time_provider() => Repository.AssertNone(Matches(AmbientTime()));

    [Fact]
    public void Nothing_hides_in_regions_or_is_named_manager() => Repository.AssertNone(Matches(Hidden()));

    [Fact]
    public void Public_classes_are_sealed_unless_something_derives_from_them()
    {
        var types = Repository.ProductAssemblies.SelectMany(assembly => assembly.GetTypes()).Where(type => type.Namespace?.StartsWith("Matrix", StringComparison.Ordinal) == true).ToList();
        var bases = types.Select(type => type.BaseType).OfType<Type>().Select(type => type.IsGenericType ? type.GetGenericTypeDefinition() : type).ToHashSet();
        Repository.AssertNone(types.Where(type => type.IsClass && type.IsPublic && !type.IsAbstract && !type.IsSealed && !bases.Contains(type)).Select(type => type.FullName));
    }

    // two implementations exist: events held in memory, and the room's state tree
    static readonly string[] s_fairInterfaces = ["IAuthState"];

    [Fact]
    public void No_interface_has_a_class_of_the_same_name()
    {
        var names = Repository.ProductAssemblies.SelectMany(assembly => assembly.GetTypes()).Select(type => type.Name).ToHashSet();
        Repository.AssertNone(names.Where(name => name.Length > 1 && name[0] == 'I' && char.IsUpper(name[1]) && names.Contains(name[1..])).Except(s_fairInterfaces));
    }

    static IEnumerable<string> Matches(Regex pattern) =>
        from file in Repository.ProductSources
        from line in File.ReadLines(file).Select((text, index) => (Text: text, Number: index + 1))
        where !line.Text.TrimStart().StartsWith("//", StringComparison.Ordinal) && pattern.IsMatch(line.Text)
        select $"{Repository.Relative(file)}:{line.Number}: {line.Text.Trim()}";

    [GeneratedRegex(@"\b(DateTime|DateTimeOffset)\.(Utc)?Now\b")]
    private static partial Regex AmbientTime();

    [GeneratedRegex(@"^\s*#region|\b(class|record|struct)\s+\w+(Manager|Helper|Helpers|Util|Utils|Impl|Dto)\b")]
    private static partial Regex Hidden();
}
