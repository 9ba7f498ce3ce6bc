using System.Globalization;

namespace Matrix.Rooms.Unread;

/// <summary>What the log's entry of a receipt tells: how far its user has read.</summary>
/// <param name="ThreadId">A thread root, <c>main</c>, or empty for the whole room.</param>
public readonly record struct ReceiptNote(string ThreadId, long EventPosition)
{
    public string Write() => string.Create(CultureInfo.InvariantCulture, $"{EventPosition} {ThreadId}");

    public static ReceiptNote? Read(string? note) => note is not null && note.IndexOf(' ', StringComparison.Ordinal) is > 0 and var space
        && long.TryParse(note.AsSpan(0, space), NumberStyles.Integer, CultureInfo.InvariantCulture, out var position)
        ? new ReceiptNote(note[(space + 1)..], position)
        : null;
}
