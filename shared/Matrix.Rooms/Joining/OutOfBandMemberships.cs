using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Writing;
using Matrix.Storage;
using Matrix.Storage.Rooms;
using Npgsql;

namespace Matrix.Rooms.Joining;

/// <summary>What a user is shown of a room that this server is not in.</summary>
/// <param name="State">A JSON array of stripped state.</param>
/// <param name="Server">Who told it.</param>
sealed record ShownRoom(byte[] State, ServerName Server);

/// <summary>
/// Memberships of this server's users in rooms that it is not in: invited, knocking, and what became of that. The member event is kept as an outlier; the
/// log tells of it by an entry <see cref="LogKind.Membership"/>, as it does where branches of a room meet.
/// </summary>
sealed class OutOfBandMemberships(
    RoomReceiver receiver, RoomFinder rooms, RoomStore store, EventStore events, MembershipStore memberships, EventBuilding building, LogWriter log, Leases leases)
{
    const int MaxAttempts = 10;
    static readonly TimeSpan JoinLease = TimeSpan.FromSeconds(6);

    /// <summary>The room, which is made known if it is not.</summary>
    /// <exception cref="RoomException">It is known, and has another version.</exception>
    public async Task<Room> GetRoom(RoomId roomId, RoomVersionRules rules, CancellationToken ct)
    {
        var room = await rooms.Find(roomId, ct) ?? await receiver.AddRoom(roomId, rules, ct);
        return room.Rules == rules ? room : throw RoomException.Invalid($"The room has version {room.Rules.Id}, not {rules.Id}.");
    }

    /// <summary>
    /// The same for one who is invited. The version that an invite names is anybody's word: where nothing else is known of the room, and no other server's invite
    /// stands, the newest one counts.
    /// </summary>
    /// <exception cref="RoomException">It is known, and has another version.</exception>
    public async Task<Room> GetRoom(RoomId roomId, RoomVersionRules rules, ServerName origin, CancellationToken ct)
    {
        if (await rooms.Find(roomId, ct) is { } known && known.Rules != rules && await TryAcquireJoin(roomId, ct) is { } lease)
        {
            await using (lease)
                await store.Supersede(known, Nowhere(known), origin, ct);
        }
        return await GetRoom(roomId, rules, ct);
    }

    /// <summary>
    /// The same for one who joins, and holds the lease: the server that lets the user in knows what version the room has, and whoever sent an invite before does not
    /// keep everybody out of it by having named another one.
    /// </summary>
    /// <exception cref="RoomException">This server has been in the room, which has another version.</exception>
    public async Task<Room> GetRoomToJoin(RoomId roomId, RoomVersionRules rules, CancellationToken ct)
    {
        if (await rooms.Find(roomId, ct) is { } known && known.Rules != rules)
            await store.Supersede(known, Nowhere(known), null, ct);
        return await GetRoom(roomId, rules, ct);
    }

    /// <summary>Joins of one room go one after the other, in all processes.</summary>
    public Task<Lease?> TryAcquireJoin(RoomId roomId, CancellationToken ct) => leases.TryAcquire($"join:{roomId}", JoinLease, ct);

    RoomId Nowhere(Room room) => RoomId.Create($"superseded{room.RoomNid}", building.Server.ServerName);

    /// <summary>Sets the membership of the user whom the member event is about.</summary>
    /// <param name="shown">Null: what was shown is forgotten.</param>
    public async Task<SentEvent> Set(Room room, Pdu member, ShownRoom? shown, CancellationToken ct)
    {
        for (var attempt = 0; ; attempt++)
        {
            var user = UserId.Parse(member.StateKey!);
            var (stored, before) = (await events.FindByEventId(member.EventId, ct), await memberships.Find(room.RoomNid, user, ct));
            if (stored is not null && (stored.RoomNid != room.RoomNid || before?.EventNid == stored.EventNid))
                return new SentEvent(member.EventId, LogPosition.Start);
            var nid = stored?.EventNid ?? await building.Nids.NextEvent(ct);
            try
            {
                return new SentEvent(member.EventId, await log.Append(new Change(room.RoomNid, nid, member, stored is null, before?.Membership ?? "leave", shown), ct));
            }
            catch (PostgresException e) when (attempt < MaxAttempts && RoomReceiver.IsAnothersDoing(e))
            {
                // it came twice
            }
        }
    }

    sealed class Change(long roomNid, long eventNid, Pdu member, bool isNew, string was, ShownRoom? shown) : LogChange
    {
        string Membership => member.Membership ?? "leave";

        public override IReadOnlyList<LogEntryDraft> Entries { get; } =
            [new LogEntryDraft(LogKind.Membership, roomNid, member.StateKey, null, eventNid, member.Membership ?? "leave")];

        public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
        {
            if (isNew)
                ReceivedRows.AddAside(batch, roomNid, new AsideEvent(eventNid, member, null, null, false, false));
            batch.Add(
                """
                INSERT INTO memberships (room_nid, user_id, membership, event_nid, sender, position, display_name, avatar_url)
                VALUES ($1, $2, $3, $4, $5, log_position($6), $7, $8)
                ON CONFLICT (room_nid, user_id) DO UPDATE SET membership = EXCLUDED.membership, event_nid = EXCLUDED.event_nid, sender = EXCLUDED.sender,
                    position = EXCLUDED.position, display_name = EXCLUDED.display_name, avatar_url = EXCLUDED.avatar_url, forgotten = false
                """,
                roomNid, member.StateKey, Membership, eventNid, member.Sender.ToString(), back(0),
                member.ContentString("displayname"u8).Storable(), member.ContentString("avatar_url"u8).Storable());
            batch.Add(
                """
                INSERT INTO membership_merges (user_id, position, room_nid, event_nid, membership, was)
                VALUES ($1, log_position($2), $3, $4, $5, $6)
                """, member.StateKey, back(0), roomNid, eventNid, Membership, was);
            if (shown is null)
                batch.Add("DELETE FROM stripped_states WHERE room_nid = $1 AND user_id = $2", roomNid, member.StateKey);
            else
            {
                batch.Add(
                    """
                    INSERT INTO stripped_states (room_nid, user_id, event_nid, events, server) VALUES ($1, $2, $3, $4, $5)
                    ON CONFLICT (room_nid, user_id) DO UPDATE SET event_nid = EXCLUDED.event_nid, events = EXCLUDED.events, server = EXCLUDED.server
                    """, roomNid, member.StateKey, eventNid, shown.State, shown.Server.ToString());
            }
        }
    }
}
