using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Push;
using Npgsql;

namespace Matrix.ClientApi.Push;

/// <summary>Pushers were set or deleted.</summary>
/// <param name="users">Whose.</param>
/// <param name="commands">Gets the <c>back</c> of the last entry.</param>
sealed class PushersChanged(IEnumerable<string> users, Action<NpgsqlBatch, int> commands) : LogChange
{
    public override IReadOnlyList<LogEntryDraft> Entries { get; } = [.. users.Distinct().Select(user => new LogEntryDraft(LogKind.Pushers, UserId: user))];

    /// <param name="others">Other users with a pusher for this app and key, who lose it: it is now another person's device.</param>
    public static PushersChanged Set(UserId userId, DeviceId deviceId, NewPusher pusher, IReadOnlyList<string> others) =>
        new([.. others, userId.ToString()], (batch, back) =>
        {
            foreach (var other in others)
                PusherStore.AddDelete(batch, other, pusher.AppId, pusher.Pushkey);
            PusherStore.AddSet(batch, userId, deviceId, pusher, back);
        });

    public static PushersChanged Delete(UserId userId, string appId, string pushkey) =>
        new([userId.ToString()], (batch, _) => PusherStore.AddDelete(batch, userId.ToString(), appId, pushkey));

    /// <summary>Its mails say how to get no more of them.</summary>
    public static PushersChanged Unsubscribe(Pusher pusher) => new([pusher.UserId], (batch, _) => PusherStore.AddDelete(batch, pusher.PusherId));

    public static PushersChanged Confirm(Pusher pusher) => new([pusher.UserId], (batch, _) => PusherStore.AddConfirmation(batch, pusher.PusherId));

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back) => commands(batch, back(Entries.Count - 1));
}
