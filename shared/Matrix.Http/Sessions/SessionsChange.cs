using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage;
using Npgsql;

namespace Matrix.Http;

/// <summary>A change that ends sessions of a user, or makes them something else than what processes may keep: see <see cref="SessionEnding"/>.</summary>
/// <param name="commands">Such as those of <see cref="SessionStore"/>, <see cref="DeviceStore"/> and <see cref="AccountStore"/>.</param>
public sealed class SessionsChange(UserId userId, Action<NpgsqlBatch> commands) : LogChange
{
    public override IReadOnlyList<LogEntryDraft> Entries { get; } = [new(LogKind.Session, UserId: userId.ToString())];

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back) => commands(batch);
}
