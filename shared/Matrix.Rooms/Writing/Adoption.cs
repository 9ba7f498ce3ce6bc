using Matrix.Protocol;
using Matrix.Rooms.Joining;
using Matrix.Storage;
using Npgsql;

namespace Matrix.Rooms.Writing;

/// <summary>How a room of other servers becomes one of ours: whole, or without its members (docs/adr/0028).</summary>
/// <param name="ToldBy">Of a room without its members: who told the rest.</param>
/// <param name="Holder">Who is asking for them, for as long as <paramref name="HeldFor"/> says.</param>
sealed record Adoption(ServerName? ToldBy, Guid Holder, TimeSpan HeldFor)
{
    public static readonly Adoption Whole = new(null, default, default);

    public bool IsPartial => ToldBy is not null;

    public string EntryKey => IsPartial ? PartialRooms.Begun : PartialRooms.Whole;

    /// <param name="joinNid">The event by which this server comes in.</param>
    public void AddCommands(NpgsqlBatch batch, long roomNid, long joinNid)
    {
        // what an earlier join has left half known stays so
        batch.Add("SELECT abandon_partial_room($1, NULL)", roomNid);
        if (ToldBy is { } server)
        {
            batch.Add("INSERT INTO partial_rooms (room_nid, join_nid, told_by, due_at, holder) VALUES ($1, $2, $3, now() + $4, $5)",
                roomNid, joinNid, server.ToString(), HeldFor, Holder);
        }
    }
}
