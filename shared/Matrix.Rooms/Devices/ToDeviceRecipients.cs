using Matrix.Replication;

namespace Matrix.Rooms.Devices;

/// <summary>
/// Whom a log entry of the kind to_device concerns: one device, or all of a user's, or many devices whose names are packed into its key. A name
/// that holds a separator itself is never missed, it may only wake somebody in vain.
/// </summary>
public static class ToDeviceRecipients
{
    /// <summary>The recipients of one entry: a message to thousands of devices is some entries, not thousands.</summary>
    public const int MostPerEntry = 200;

    const char Begin = '\u0001', Between = '\u0002';

    /// <param name="recipients">Users and devices; null for all devices of the user.</param>
    public static LogEntryDraft Pack(IReadOnlyCollection<(string User, string? Device)> recipients)
    {
        if (recipients.Count == 1)
            return new LogEntryDraft(LogKind.ToDevice, UserId: recipients.First().User, DeviceId: recipients.First().Device);
        return new LogEntryDraft(LogKind.ToDevice, Key: string.Concat(recipients.Select(r => Piece(r.User, r.Device))) + Begin);
    }

    public static bool Concerns(LogEntry entry, string userId, string deviceId) => entry.UserId is { } user
        ? user == userId && (entry.DeviceId is null || entry.DeviceId == deviceId)
        : entry.Key is { } key
            && (key.Contains(Piece(userId, deviceId) + Begin, StringComparison.Ordinal) || key.Contains(Piece(userId, null) + Begin, StringComparison.Ordinal));

    /// <summary>The users among the recipients, with null for all of a user's devices.</summary>
    public static IEnumerable<(string User, string? Device)> List(LogEntry entry)
    {
        if (entry.UserId is { } user)
        {
            yield return (user, entry.DeviceId);
            yield break;
        }
        foreach (var piece in (entry.Key ?? "").Split(Begin, StringSplitOptions.RemoveEmptyEntries))
        {
            if (piece.IndexOf(Between) is >= 0 and var end)
                yield return (piece[..end], end == piece.Length - 1 ? null : piece[(end + 1)..]);
        }
    }

    static string Piece(string user, string? device) => $"{Begin}{user}{Between}{device}";
}
