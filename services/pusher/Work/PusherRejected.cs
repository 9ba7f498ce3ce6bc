using Matrix.Replication;
using Matrix.Storage.Push;
using Npgsql;

namespace Matrix.Pusher.Work;

/// <summary>A gateway no longer knows a push key: its pusher goes (Push Gateway API, POST /notify).</summary>
sealed class PusherRejected(Storage.Push.Pusher pusher) : LogChange
{
    public override IReadOnlyList<LogEntryDraft> Entries { get; } = [new(LogKind.Pushers, UserId: pusher.UserId)];

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back) => PusherStore.AddDelete(batch, pusher.PusherId);
}
