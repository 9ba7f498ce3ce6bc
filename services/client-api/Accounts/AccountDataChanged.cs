using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage;
using Npgsql;

namespace Matrix.ClientApi.Accounts;

/// <summary>A client set a piece of account data.</summary>
/// <param name="roomId">Null: global.</param>
/// <param name="content">A JSON object.</param>
sealed class AccountDataChanged(UserId userId, RoomId? roomId, string type, string content) : LogChange
{
    public override IReadOnlyList<LogEntryDraft> Entries { get; } = [new(LogKind.AccountData, UserId: userId.ToString(), Key: type)];

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back) => batch.Add(
        """
        INSERT INTO account_data (user_id, room_id, type, content, position) VALUES ($1, $2, $3, $4, log_position($5))
        ON CONFLICT (user_id, room_id, type) DO UPDATE SET content = excluded.content, position = excluded.position
        """, userId, roomId?.ToString() ?? "", type, content, back(0));
}
