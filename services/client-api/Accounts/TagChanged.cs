using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage;
using Npgsql;

namespace Matrix.ClientApi.Accounts;

/// <summary>A user put a tag on a room or took it off. The other tags stay, also when two devices change different ones at once.</summary>
/// <param name="info">A JSON object; null takes the tag off.</param>
sealed class TagChanged(UserId userId, RoomId roomId, string tag, string? info) : LogChange
{
    public const string Type = "m.tag";

    public override IReadOnlyList<LogEntryDraft> Entries { get; } = [new(LogKind.AccountData, UserId: userId.ToString(), Key: Type)];

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
    {
        // what the room has is read and written under the log's lock
        const string Known =
            "CASE jsonb_typeof(old.content::jsonb -> 'tags') WHEN 'object' THEN old.content::jsonb -> 'tags' ELSE '{}' END";
        if (info is null)
        {
            batch.Add(
                $$"""
                UPDATE account_data old SET content = jsonb_build_object('tags', {{Known}} - $4)::text, position = log_position($5)
                WHERE user_id = $1 AND room_id = $2 AND type = $3
                """, userId, roomId, Type, tag, back(0));
            return;
        }

        batch.Add(
            $$"""
            INSERT INTO account_data AS old (user_id, room_id, type, content, position)
            VALUES ($1, $2, $3, jsonb_build_object('tags', jsonb_build_object($4::text, $6::jsonb))::text, log_position($5))
            ON CONFLICT (user_id, room_id, type) DO UPDATE SET
                content = jsonb_build_object('tags', {{Known}} || jsonb_build_object($4::text, $6::jsonb))::text,
                position = excluded.position
            """, userId, roomId, Type, tag, back(0), info);
    }
}
