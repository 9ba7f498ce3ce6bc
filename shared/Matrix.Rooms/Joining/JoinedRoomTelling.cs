using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Rooms.Resolution;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Rooms.Joining;

/// <summary>
/// Tells a server whose user has joined what the room is: the state before the join, and the auth chains. Written as it is read from the database, so that a
/// room of any size takes little memory.
/// </summary>
public sealed class JoinedRoomTelling
{
    const int EventsAtOnce = 500;

    readonly EventStore events;
    readonly StateTree tree;
    readonly StateEvents stateEvents;
    readonly AuthChains chains;
    readonly RoomServers servers;
    readonly ServerSigningKey own;

    internal static JoinedRoomTelling Create(IServiceProvider p) => new(
        p.GetRequiredService<EventStore>(), p.GetRequiredService<StateTree>(), p.GetRequiredService<StateEvents>(),
        p.GetRequiredService<AuthChains>(), p.GetRequiredService<RoomServers>(), p.GetRequiredService<ServerSigningKey>());

    internal JoinedRoomTelling(EventStore events, StateTree tree, StateEvents stateEvents, AuthChains chains, RoomServers servers, ServerSigningKey own) =>
        (this.events, this.tree, this.stateEvents, this.chains, this.servers, this.own) =
        (events, tree, stateEvents, chains, servers, own);

    /// <summary>Writes the answer to send_join.</summary>
    /// <param name="omitMembers">Leave out the members, except those who give the room a name and those who allow the rest of the state.</param>
    public async Task Write(TakenMembership taken, bool omitMembers, PipeWriter to, CancellationToken ct)
    {
        var (room, join) = taken;
        var stored = await events.FindByEventId(join.EventId, ct) ?? throw new InvalidDataException($"{join.EventId} is not stored.");
        var whole = await tree.ReadAll(stored.StateBefore!.Value, ct);
        var state = (omitMembers ? await WithoutMembers(stored.StateBefore.Value, whole, ct) : whole).Select(entry => entry.EventNid).ToHashSet();
        var cited = (await events.FindInRoom(room.RoomNid, join.AuthEvents, ct)).Select(e => e.EventNid).ToList();
        var chain = (await chains.List(room, [.. state, .. cited], ct)).Concat(cited).ToHashSet();
        if (omitMembers)
            chain.ExceptWith(state);

        Raw(to, $"{{\"origin\":{Json(own.ServerName)},\"members_omitted\":{(omitMembers ? "true" : "false")},\"servers_in_room\":[");
        Raw(to, string.Join(',', await ListServers(room, join, ct)));
        Raw(to, "],\"event\":");
        to.Write(join.Json.Span);
        Raw(to, ",\"state\":[");
        await WriteEvents(to, state, ct);
        Raw(to, "],\"auth_chain\":[");
        await WriteEvents(to, chain, ct);
        Raw(to, "]}");
        await to.FlushAsync(ct);
    }

    /// <summary>As they were before the join, of which another user of its server may have been part.</summary>
    async Task<IEnumerable<string>> ListServers(Room room, Pdu join, CancellationToken ct)
    {
        var others = await servers.List(room.RoomNid, ct);
        return others.Append(own.ServerName).Where(server => server != join.Sender.Server).Select(Json);
    }

    async Task<IEnumerable<StateEntry>> WithoutMembers(StateNodeId root, List<StateEntry> state, CancellationToken ct)
    {
        var kept = state.Where(entry => entry.Key.Type != EventTypes.Member).ToList();
        if (kept.Any(entry => entry.Key is { Type: EventTypes.Name or EventTypes.CanonicalAlias, StateKey: "" }))
            return kept;
        // those after whom clients call it
        const int looked = 50;
        var some = state.Where(entry => entry.Key.Type == EventTypes.Member).OrderBy(entry => entry.EventNid).Take(looked).ToList();
        var members = await stateEvents.Get(some.Select(entry => entry.EventNid).ToHashSet(), ct);
        return kept.Concat(some.Where(entry => members[entry.EventNid].Membership is "join" or "invite").Take(RoomPreview.MaxHeroes));
    }

    async Task WriteEvents(PipeWriter to, IEnumerable<long> nids, CancellationToken ct)
    {
        var isFirst = true;
        foreach (var some in nids.Chunk(EventsAtOnce))
        {
            foreach (var e in (await events.Get(some, ct)).Values)
            {
                if (!isFirst)
                    Raw(to, ",");
                isFirst = false;
                var json = e.RedactedBy is null ? e.Json : Pdu.FromStored(e.EventId, e.Json, e.Rules).Redact().Json;
                to.Write(json.Span);
            }
            await to.FlushAsync(ct);
        }
    }

    static void Raw(PipeWriter to, string text) => to.Write(System.Text.Encoding.UTF8.GetBytes(text));

    static string Json(ServerName server) => JsonSerializer.Serialize(server.ToString());
}
