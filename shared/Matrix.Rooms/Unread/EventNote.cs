using System.Text;

namespace Matrix.Rooms.Unread;

/// <summary>
/// What the log's entry of an event tells about whom it notifies, so that unread counts and pushes follow from the log alone. In the log it is text:
/// a line of flags, the sender, the thread, and a line for each personal notice. An event without a note notifies nobody and reads nothing.
/// </summary>
/// <param name="Ordinary">For everybody with the ordinary rules but the sender.</param>
/// <param name="Reads">Has the sender thereby read the thread up to here?</param>
/// <param name="ThreadId">A thread root, or <c>main</c>.</param>
/// <param name="Personal">For whom of those in the room it means something else.</param>
/// <param name="IsWhole">False: too many have a personal notice for a note; the tables know.</param>
public sealed record EventNote(
    Notice Ordinary, bool Reads, string Sender, string ThreadId, IReadOnlyList<PersonalNotice> Personal, bool IsWhole = true)
{
    public const string Main = "main";
    const int MaxPersonal = 200;

    public string Write()
    {
        var whole = IsWhole && Personal.Count <= MaxPersonal;
        var text = new StringBuilder(64);
        text.Append((char)('0' + (int)Ordinary)).Append(Reads ? 'r' : '-');
        if (!whole)
            text.Append('*');
        text.Append('\n').Append(Escape(Sender)).Append('\n');
        if (ThreadId != Main)
            text.Append(Escape(ThreadId));
        foreach (var (user, notice) in whole ? Personal : [])
            text.Append('\n').Append((char)('0' + (int)notice)).Append(Escape(user));
        return text.ToString();
    }

    public static EventNote Read(string note)
    {
        var lines = note.Split('\n');
        var personal = lines.Skip(3).Select(line => new PersonalNotice(Unescape(line[1..]), ToNotice(line[0]))).ToList();
        return new EventNote(ToNotice(note[0]), note[1] == 'r', Unescape(lines[1]), lines[2].Length == 0 ? Main : Unescape(lines[2]), personal,
            lines[0].Length == 2);
    }

    static Notice ToNotice(char digit) => (Notice)(digit - '0');

    // identifiers may hold anything but NUL
    static string Escape(string text) => text.AsSpan().IndexOfAny('\\', '\n') < 0
        ? text
        : text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
            return text;
        var plain = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
            plain.Append(text[i] != '\\' ? text[i] : text[++i] == 'n' ? '\n' : '\\');
        return plain.ToString();
    }
}
