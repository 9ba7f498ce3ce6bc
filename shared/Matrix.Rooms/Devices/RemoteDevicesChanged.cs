using Matrix.Replication;
using Matrix.Storage.Federation;
using Matrix.Storage.Keys;
using Npgsql;

namespace Matrix.Rooms.Devices;

/// <summary>Another server has told that its users' keys changed: they are forgotten here, and clients are told to ask for them.</summary>
public sealed class RemoteDevicesChanged(IReadOnlyCollection<string> users) : LogChange
{
    readonly string[] sorted = [.. users.Order(StringComparer.Ordinal)];

    public override IReadOnlyList<LogEntryDraft> Entries => field ??= [.. sorted.Select(user => new LogEntryDraft(LogKind.DeviceList, UserId: user))];

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
    {
        RemoteKeyStore.AddChanged(batch, sorted, back(sorted.Length - 1));
        for (var i = 0; i < sorted.Length; i++)
            DeviceKeyStore.AddListChange(batch, sorted[i], back(i));
    }
}
