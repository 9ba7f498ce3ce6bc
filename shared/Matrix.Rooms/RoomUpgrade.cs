using System.Text.Json.Nodes;
using Matrix.Protocol;
using Matrix.Rooms.Membership;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms;

/// <summary>Replaces a room by a new one of another version (C-S API, Room Upgrades).</summary>
public sealed class RoomUpgrade(
    RoomFinder rooms, RoomStore roomStore, RoomState state, RoomCreator creator, RoomWriter writer, AliasStore aliases, RoomSummaryStore summaries,
    MembershipStore memberships)
{
    const string Child = "m.space.child";

    /// <summary>In one commit.</summary>
    const int BansAtOnce = 50;

    /// <summary>What moves along; the rest depends on who sent it.</summary>
    static readonly string[] Transferred =
    [
        EventTypes.ServerAcl, EventTypes.Encryption, EventTypes.Name, EventTypes.Avatar, EventTypes.Topic, EventTypes.GuestAccess,
        EventTypes.HistoryVisibility, EventTypes.JoinRules, EventTypes.PowerLevels, EventTypes.CanonicalAlias,
    ];

    /// <summary>The new room. The old one is closed with a tombstone, and its aliases and its place in the directory move.</summary>
    /// <param name="additionalCreators">Of a room of version 12 or later, besides the user.</param>
    /// <exception cref="RoomException">The version is not known, or the user may not close the room.</exception>
    public async Task<RoomId> Upgrade(
        RoomId roomId, UserId userId, string version, IReadOnlyList<UserId> additionalCreators, CancellationToken ct)
    {
        var rules = RoomCreator.Versions.FirstOrDefault(v => v.Id == version) ?? throw RoomException.UnsupportedVersion(version);
        var old = await rooms.Get(roomId, ct);
        var root = await state.CurrentRoot(old.RoomNid, ct);
        var create = await state.Get(root, EventTypes.Create, "", ct);
        var levels = PowerLevels.Read(await state.Get(root, EventTypes.PowerLevels, "", ct), create);
        var member = await state.Get(root, EventTypes.Member, userId.ToString(), ct);
        if (member?.Membership != "join" || !levels.CanSend(userId, EventTypes.Tombstone, isState: true))
            throw RoomException.Forbidden("You may not upgrade this room.");

        var summary = await summaries.Find(old.RoomNid, ct);
        var created = await creator.Create(new RoomCreation
        {
            Creator = userId,
            Version = version,
            Published = summary is { Published: true },
            Preset = RoomPreset.PrivateChat,
            CreationContent = await CreationContent(old, create!, rules, additionalCreators, ct),
            InitialState = await InitialState(root, rules, [userId, .. additionalCreators], ct),
        }, ct);
        await MoveNames(old, created.RoomId, ct);
        await CopyBans(old, created.RoomId, userId, ct);
        await Send(roomId, userId, EventTypes.Tombstone,
            new JsonObject { ["body"] = "This room has been replaced.", ["replacement_room"] = created.RoomId.ToString() }, ct);
        await Silence(roomId, userId, root, levels, ct);
        return created.RoomId;
    }

    async Task<JsonObject> CreationContent(
        Room old, Pdu create, RoomVersionRules rules, IReadOnlyList<UserId> additionalCreators, CancellationToken ct)
    {
        var predecessor = new JsonObject { ["room_id"] = old.RoomId.ToString() };
        if (!rules.RoomIdIsCreateHash && await roomStore.FindHead(old.RoomNid, ct) is { Extremities: [var last, ..] })
            predecessor["event_id"] = last.EventId.ToString();
        var content = new JsonObject { ["predecessor"] = predecessor };
        var before = JsonNode.Parse(create.ContentJson.Span)!.AsObject();
        foreach (var kept in (string[])["type", "m.federate"])
        {
            if (before.TryGetPropertyValue(kept, out var value))
                content[kept] = value?.DeepClone();
        }
        if (rules.HasPrivilegedCreators && additionalCreators.Count > 0)
            content["additional_creators"] = new JsonArray([.. additionalCreators.Select(user => (JsonNode)user.ToString())]);
        return content;
    }

    async Task<List<InitialState>> InitialState(StateNodeId root, RoomVersionRules rules, IReadOnlyList<UserId> creators, CancellationToken ct)
    {
        var initial = new List<InitialState>();
        foreach (var type in Transferred)
        {
            if (await state.Get(root, type, "", ct) is not { } pdu)
                continue;
            var content = JsonNode.Parse(pdu.ContentJson.Span)!.AsObject();
            initial.Add(new InitialState(type, type == EventTypes.PowerLevels ? NewLevels(content, rules, creators) : content));
        }
        if ((await state.Get(root, EventTypes.Create, "", ct))?.ContentString("type"u8) == "m.space")
            initial.AddRange(await Children(root, ct));
        return initial;
    }

    /// <summary>What a space holds: without, it would be an empty one.</summary>
    async Task<IEnumerable<InitialState>> Children(StateNodeId root, CancellationToken ct)
    {
        var entries = (await state.ReadAll(root, ct)).Where(entry => entry.Key.Type == Child).ToList();
        var events = await state.Get([.. entries.Select(entry => entry.EventNid)], ct);
        return
        [
            .. from entry in entries
               let content = JsonNode.Parse(events[entry.EventNid].ContentJson.Span)!.AsObject()
               where content["via"] is JsonArray // without, it was taken out
               select new InitialState(Child, content, entry.Key.StateKey),
        ];
    }

    /// <summary>Who was put out of the old room does not come back by the new one.</summary>
    async Task CopyBans(Room old, RoomId newId, UserId userId, CancellationToken ct)
    {
        var replacement = await rooms.Get(newId, ct);
        foreach (var banned in (await memberships.ListInRoom(old.RoomNid, ["ban"], ct)).Chunk(BansAtOnce))
        {
            var events = await state.Get([.. banned.Select(row => row.EventNid)], ct);
            await writer.Write(replacement, async (chain, token) =>
            {
                var last = default(EventId);
                foreach (var row in banned)
                {
                    var content = MemberContent.Create("ban", null, events[row.EventNid].ContentString("reason"u8));
                    last = (await chain.Add(MemberContent.Draft(userId, UserId.Parse(row.UserId), content), token)).EventId;
                }
                return last;
            }, null, ct);
        }
    }

    /// <summary>Who upgrades a room is the creator of the new one, by infinite power or, before version 12, by level.</summary>
    static JsonObject NewLevels(JsonObject levels, RoomVersionRules rules, IReadOnlyList<UserId> creators)
    {
        if (levels["users"] is not JsonObject users)
            levels["users"] = users = [];
        if (!rules.HasPrivilegedCreators)
        {
            users[creators[0].ToString()] = 100;
            return levels;
        }
        foreach (var creator in creators)
            users.Remove(creator.ToString());
        if (levels["events"] is not JsonObject events)
            levels["events"] = events = [];
        events[EventTypes.Tombstone] = 150;
        return levels;
    }

    async Task MoveNames(Room old, RoomId newId, CancellationToken ct)
    {
        var replacement = await rooms.Get(newId, ct);
        await aliases.Move(old.RoomNid, replacement.RoomNid, ct);
        await summaries.SetPublished(old.RoomNid, false, ct);
    }

    /// <summary>Lets nobody but moderators speak and invite in the old room, if the user may say so.</summary>
    async Task Silence(RoomId roomId, UserId userId, StateNodeId root, PowerLevels levels, CancellationToken ct)
    {
        var content = await state.Get(root, EventTypes.PowerLevels, "", ct) is { } pdu
            ? JsonNode.Parse(pdu.ContentJson.Span)!.AsObject() : [];
        var least = Math.Max(50, levels.UsersDefault + 1);
        content["events_default"] = Math.Max(least, levels.EventsDefault);
        content["invite"] = Math.Max(least, levels.Invite);
        try
        {
            await Send(roomId, userId, EventTypes.PowerLevels, content, ct);
        }
        catch (RoomException)
        {
            // the tombstone has to do
        }
    }

    Task<SentEvent> Send(RoomId roomId, UserId userId, string type, JsonObject content, CancellationToken ct) =>
        writer.Send(roomId, EventDraft.State(userId, type, "", (object)content), null, ct);
}
