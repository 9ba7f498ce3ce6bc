using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Matrix.Architecture.Tests;

/// <summary>What a doc comment says, as Markdown: the compiler writes the comments into a file beside each assembly.</summary>
static partial class DocComments
{
    static readonly ConcurrentDictionary<Assembly, Dictionary<string, XElement>> s_files = [];

    /// <summary>The property's own; else its parameter's in a record; else what is said of the class that it holds. Empty where nothing is.</summary>
    public static string Of(PropertyInfo property)
    {
        var of = property.DeclaringType!;
        var comment = Find(of.Assembly, $"P:{Id(of)}.{property.Name}")?.Element("summary")
            ?? Find(of.Assembly, $"T:{Id(of)}")?.Elements("param").FirstOrDefault(param => param.Attribute("name")?.Value == property.Name)
            ?? Find(property.PropertyType.Assembly, $"T:{Id(property.PropertyType)}")?.Element("summary");
        return comment is null ? "" : Spaces().Replace(string.Concat(comment.Nodes().Select(Markdown)), " ").Trim();
    }

    static XElement? Find(Assembly assembly, string id) => s_files.GetOrAdd(assembly, Read).GetValueOrDefault(id);

    static Dictionary<string, XElement> Read(Assembly assembly)
    {
        var file = Path.ChangeExtension(assembly.Location, ".xml");
        return File.Exists(file) ? XDocument.Load(file).Descendants("member").ToDictionary(member => member.Attribute("name")!.Value) : [];
    }

    static string Id(Type type) => type.FullName?.Replace('+', '.') ?? type.Name;

    static string Markdown(XNode node) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
        // a property of options is a key; whatever else code may refer to says nothing to an operator
        XElement { Name.LocalName: "see" } see when see.Attribute("cref")?.Value is { } of && of.StartsWith("P:", StringComparison.Ordinal) =>
            $"`{JsonNamingPolicy.SnakeCaseLower.ConvertName(of[(of.LastIndexOf('.') + 1)..])}`",
        _ => throw new InvalidOperationException($"The comment of an option has {node}: an operator reads it in {ConfigurationReference.Path}. Name keys, in <c>, not code."),
    };

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
