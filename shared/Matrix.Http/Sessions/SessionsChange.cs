using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage;
using Matrix.Storage.Keys;
using Npgsql;

namespace Matrix.Http;

/// <summary>A change that ends sessions of a user, or makes them something else than what processes may keep: see <see cref="SessionEnding"/>.</summary>
/// <param name="commands">Such as those of <see cref="SessionStore"/>, <see cref="DeviceStore"/> and <see cref="AccountStore"/>.</param>
/// <param name="ofDevices">Devices come or go with it: others are told, and what those had that are gone goes too.</param>
public sealed class SessionsChange(UserId userId, Action<NpgsqlBatch> commands, bool ofDevices = false) : LogChange
{
    public override IReadOnlyList<LogEntryDraft> Entries { get; } = ofDevices
        ? [new(LogKind.Session, UserId: userId.ToString()), new(LogKind.DeviceList, UserId: userId.ToString())]
        : [new(LogKind.Session, UserId: userId.ToString())];

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
    {
        commands(batch);
        if (ofDevices)
            DeviceKeyStore.AddRemoval(batch, userId.ToString(), back(1));
    }
}
