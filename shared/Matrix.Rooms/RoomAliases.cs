using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms;

/// <summary>This server's aliases of rooms and its directory of published rooms: who may change them.</summary>
public sealed class RoomAliases(RoomFinder rooms, RoomStore roomStore, AliasStore aliases, MembershipStore memberships, RoomSummaryStore summaries,
    StateEvents stateEvents, RoomWriter writer)
{
    /// <summary>The room that the alias leads to, or null.</summary>
    public async Task<Room?> Find(RoomAlias alias, CancellationToken ct) =>
        await aliases.Find(alias, ct) is { } row && await roomStore.List([row.RoomNid], ct) is [var room] ? room : null;

    /// <exception cref="RoomException">404: this server knows no such alias.</exception>
    public async Task<Room> Get(RoomAlias alias, CancellationToken ct) =>
        await Find(alias, ct) ?? throw RoomException.NotFound($"There is no alias {alias}.");

    /// <summary>The room that an id or an alias names. The room of an id need not exist.</summary>
    public async Task<RoomId> Resolve(string roomIdOrAlias, CancellationToken ct)
    {
        if (RoomId.TryParse(roomIdOrAlias, out var roomId))
            return roomId;
        return RoomAlias.TryParse(roomIdOrAlias, out var alias)
            ? (await Get(alias, ct)).RoomId
            : throw RoomException.Invalid($"'{roomIdOrAlias}' is neither a room id nor an alias.");
    }

    public async Task Add(RoomAlias alias, RoomId roomId, UserId userId, CancellationToken ct)
    {
        if (alias.Server != userId.Server)
            throw RoomException.Invalid("An alias can be made only on its own server.");
        var room = await rooms.Get(roomId, ct);
        if (await memberships.Find(room.RoomNid, userId, ct) is not { Membership: "join" })
            throw RoomException.Forbidden("You must be in the room to give it an alias.");
        if (!await aliases.Insert(alias, room.RoomNid, userId, ct))
            throw new RoomException(409, "M_UNKNOWN", $"The alias {alias} is taken.");
    }

    /// <summary>By who made it, by an admin of the server, or by who may set the room's canonical alias. It is taken out of that, too.</summary>
    public async Task Remove(RoomAlias alias, UserId userId, bool isAdmin, CancellationToken ct)
    {
        var row = await aliases.Find(alias, ct) ?? throw RoomException.NotFound($"There is no alias {alias}.");
        if (row.Creator != userId.ToString() && !isAdmin && !await MaySetAlias(row.RoomNid, userId, ct))
            throw RoomException.Forbidden("You may not remove this alias.");
        await aliases.Delete(alias, ct);
        if (await roomStore.List([row.RoomNid], ct) is [var room])
            await Unlist(room, alias, userId, ct);
    }

    /// <summary>Puts a room into the directory or takes it out.</summary>
    public async Task SetPublished(RoomId roomId, bool published, UserId userId, bool isAdmin, CancellationToken ct)
    {
        var room = await rooms.Get(roomId, ct);
        if (!isAdmin && !await MaySetAlias(room.RoomNid, userId, ct))
            throw RoomException.Forbidden("You may not change this room's place in the directory.");
        await summaries.SetPublished(room.RoomNid, published, ct);
    }

    /// <summary>Refuses a canonical alias that does not lead to this room (C-S API, m.room.canonical_alias). Those that stood before are let be.</summary>
    public async Task CheckCanonical(RoomId roomId, JsonElement content, CancellationToken ct)
    {
        var room = await rooms.Get(roomId, ct);
        var root = await roomStore.FindStateRoot(room.RoomNid, ct) ?? StateTree.Empty;
        var current = await stateEvents.Find(root, EventTypes.CanonicalAlias, "", ct);
        var known = current is null ? [] : Listed(current.Content).ToHashSet();
        foreach (var text in Listed(content).Where(text => !known.Contains(text)))
        {
            if (!RoomAlias.TryParse(text, out var alias))
                throw RoomException.Invalid($"'{text}' is not an alias.");
            if ((await Find(alias, ct))?.RoomNid != room.RoomNid)
                throw new RoomException(400, "M_BAD_ALIAS", $"{alias} does not lead to this room.");
        }
    }

    async Task<bool> MaySetAlias(long roomNid, UserId userId, CancellationToken ct)
    {
        if (await memberships.Find(roomNid, userId, ct) is not { Membership: "join" })
            return false;
        var root = await roomStore.FindStateRoot(roomNid, ct) ?? StateTree.Empty;
        var state = await stateEvents.Find(root, [new(EventTypes.PowerLevels, ""), new(EventTypes.Create, "")], ct);
        return PowerLevels.Read(state[0], state[1]).CanSend(userId, EventTypes.CanonicalAlias, isState: true);
    }

    async Task Unlist(Room room, RoomAlias alias, UserId userId, CancellationToken ct)
    {
        try
        {
            await writer.Write(room, async (chain, token) =>
            {
                if (await chain.Find(EventTypes.CanonicalAlias, "", token) is not { } current || !Listed(current.Content).Contains(alias.ToString()))
                    throw RoomException.NotFound("The alias is not listed.");
                var content = JsonNode.Parse(current.ContentJson.Span)!.AsObject();
                if (content["alias"] is JsonValue main && main.ToString() == alias.ToString())
                    content.Remove("alias");
                if (content["alt_aliases"] is JsonArray others)
                    content["alt_aliases"] = new JsonArray([.. others.Where(o => o?.ToString() != alias.ToString()).Select(o => o?.DeepClone())]);
                return (await chain.Add(EventDraft.State(userId, EventTypes.CanonicalAlias, "", (object)content), token)).EventId;
            }, null, ct);
        }
        catch (RoomException)
        {
            // not listed, or not this user's to change: the alias is gone all the same
        }
    }

    static IEnumerable<string> Listed(JsonElement content)
    {
        if (content.TryGetProperty("alias", out var alias) && alias.ValueKind == JsonValueKind.String)
            yield return alias.GetString()!;
        if (!content.TryGetProperty("alt_aliases", out var others) || others.ValueKind != JsonValueKind.Array)
            yield break;
        foreach (var other in others.EnumerateArray())
            yield return other.ValueKind == JsonValueKind.String ? other.GetString()! : other.GetRawText();
    }
}
