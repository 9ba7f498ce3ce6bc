using System.Collections;
using System.Net;
using System.Text;

namespace Matrix.Pusher.Mail;

/// <summary>
/// Templates without logic, in the part of Mustache that a mail needs: <c>{{name}}</c> is a value, escaped in HTML; <c>{{#name}}…{{/name}}</c> is
/// repeated for each item of a list, or shown if the value is there; <c>{{^name}}…{{/name}}</c> is shown if it is not. Names are looked up from the
/// innermost item outwards.
/// </summary>
sealed class Template(string text, bool isHtml)
{
    readonly List<Node> nodes = Parse(text);

    /// <summary>A value is a string, null, a list of models, or a boolean.</summary>
    public string Render(IReadOnlyDictionary<string, object?> model)
    {
        var output = new StringBuilder();
        Render(nodes, [model], output);
        return output.ToString();
    }

    void Render(List<Node> parts, List<IReadOnlyDictionary<string, object?>> scopes, StringBuilder output)
    {
        foreach (var part in parts)
        {
            var value = part.Name is null ? null : Find(part.Name, scopes);
            if (part.Name is null)
                output.Append(part.Text);
            else if (part.Inner is null)
                output.Append(isHtml ? WebUtility.HtmlEncode(value?.ToString()) : value?.ToString());
            else if (part.IsInverted != IsThere(value))
                Repeat(part.Inner, part.IsInverted ? null : value as IEnumerable<IReadOnlyDictionary<string, object?>>, scopes, output);
        }
    }

    void Repeat(
        List<Node> inner, IEnumerable<IReadOnlyDictionary<string, object?>>? items, List<IReadOnlyDictionary<string, object?>> scopes, StringBuilder output)
    {
        if (items is null)
        {
            Render(inner, scopes, output);
            return;
        }
        foreach (var item in items)
            Render(inner, [.. scopes, item], output);
    }

    static bool IsThere(object? value) => value switch
    {
        null or false or "" => false,
        string or true => true,
        IEnumerable items => items.GetEnumerator().MoveNext(),
        _ => true,
    };

    static object? Find(string name, List<IReadOnlyDictionary<string, object?>> scopes)
    {
        for (var i = scopes.Count - 1; i >= 0; i--)
        {
            if (scopes[i].TryGetValue(name, out var value))
                return value;
        }
        return null;
    }

    static List<Node> Parse(string text)
    {
        var (open, at) = (new Stack<(string Name, bool IsInverted, List<Node> Parts)>([("", false, [])]), 0);
        while (text.IndexOf("{{", at, StringComparison.Ordinal) is >= 0 and var begin && text.IndexOf("}}", begin, StringComparison.Ordinal) is >= 0 and var end)
        {
            var tag = text[(begin + 2)..end].Trim();
            var isBlock = tag.Length > 0 && tag[0] is '#' or '^' or '/';
            AddText(open.Peek().Parts, text[at..begin]);
            at = end + 2;
            if (isBlock && at < text.Length && text[at] == '\n' && (begin == 0 || text[begin - 1] == '\n'))
                at++; // a line of its own leaves none behind
            if (!isBlock)
                open.Peek().Parts.Add(new Node(null, tag, null, false));
            else if (tag[0] != '/')
                open.Push((tag[1..].Trim(), tag[0] == '^', []));
            else if (open.Pop() is var (name, isInverted, parts) && name == tag[1..].Trim() && open.Count > 0)
                open.Peek().Parts.Add(new Node(null, name, parts, isInverted));
            else
                throw new FormatException($"{{{{{tag}}}}} closes what was not opened.");
        }
        AddText(open.Peek().Parts, text[at..]);
        return open.Count == 1 ? open.Pop().Parts : throw new FormatException($"{{{{#{open.Peek().Name}}}}} is not closed.");
    }

    static void AddText(List<Node> parts, string text)
    {
        if (text.Length > 0)
            parts.Add(new Node(text, null, null, false));
    }

    sealed record Node(string? Text, string? Name, List<Node>? Inner, bool IsInverted);
}
