using System.Runtime.InteropServices;
using System.Text.Json;
using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Fetching;

/// <summary>The state before an event, as another server tells it.</summary>
/// <param name="AuthChain">What the state's events cite, and what these cite, and so on.</param>
sealed record StateIds(IReadOnlyList<EventId> State, IReadOnlyList<EventId> AuthChain);

/// <summary>
/// Asks other servers for events of a room. What comes back is bounded in bytes and in number, and only what is of the room and properly signed is given on.
/// </summary>
sealed class EventRequests(FederationClient client, EventVerifier verifier)
{
    const int Megabyte = 1 << 20;
    const int MostBytesOfEvent = Megabyte / 4, MostBytesOfPage = 8 * Megabyte, MostBytesOfChain = 16 * Megabyte, MostBytesOfState = 64 * Megabyte;

    /// <summary>What lies between two places of the room, oldest first; the server may give only the newest of it.</summary>
    public async Task<IReadOnlyList<Pdu>> GetMissing(
        Room room, ServerName server, IEnumerable<EventId> earliest, IEnumerable<EventId> latest, int limit, CancellationToken ct)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new
        {
            earliest_events = earliest.Select(id => id.ToString()), latest_events = latest.Select(id => id.ToString()), limit, min_depth = 0,
        });
        var answer = await client.Post<JsonElement>(server, $"/_matrix/federation/v1/get_missing_events/{Escape(room.RoomId)}", body, ct, Within(MostBytesOfPage));
        return await Read(room, answer, "events", limit, ct);
    }

    /// <summary>These events and those before them.</summary>
    public async Task<IReadOnlyList<Pdu>> Backfill(Room room, ServerName server, IReadOnlyCollection<EventId> from, int limit, CancellationToken ct)
    {
        var query = string.Concat(from.Select(id => $"v={Uri.EscapeDataString(id.ToString())}&"));
        var answer = await client.Get<JsonElement>(
            server, $"/_matrix/federation/v1/backfill/{Escape(room.RoomId)}?{query}limit={limit}", ct, Within(MostBytesOfPage));
        return await Read(room, answer, "pdus", limit, ct);
    }

    /// <summary>Null: the server has it not, or it is not what was asked for.</summary>
    public async Task<Pdu?> GetEvent(Room room, ServerName server, EventId eventId, CancellationToken ct)
    {
        try
        {
            var answer = await client.Get<JsonElement>(
                server, $"/_matrix/federation/v1/event/{Uri.EscapeDataString(eventId.ToString())}", ct, Within(MostBytesOfEvent));
            return (await Read(room, answer, "pdus", 1, ct)).FirstOrDefault(pdu => pdu.EventId == eventId);
        }
        catch (FederationException e) when (e.Status is 403 or 404)
        {
            return null;
        }
    }

    /// <summary>The event nearest to a time: at it or after it, or at it or before it. Null: the server knows none.</summary>
    public async Task<EventId?> FindNear(Room room, ServerName server, long ts, bool forwards, CancellationToken ct)
    {
        try
        {
            var answer = await client.Get<JsonElement>(
                server, $"/_matrix/federation/v1/timestamp_to_event/{Escape(room.RoomId)}?ts={ts}&dir={(forwards ? 'f' : 'b')}", ct, Within(MostBytesOfEvent));
            return answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty("event_id", out var id) && id.ValueKind == JsonValueKind.String
                && EventId.TryParse(id.GetString(), out var parsed) ? parsed : null;
        }
        catch (FederationException e) when (e.Status is 403 or 404)
        {
            return null;
        }
    }

    public async Task<IReadOnlyList<Pdu>> GetAuthChain(Room room, ServerName server, EventId eventId, int most, CancellationToken ct)
    {
        var answer = await client.Get<JsonElement>(server,
            $"/_matrix/federation/v1/event_auth/{Escape(room.RoomId)}/{Uri.EscapeDataString(eventId.ToString())}", ct, Within(MostBytesOfChain));
        return await Read(room, answer, "auth_chain", most, ct);
    }

    public async Task<StateIds> GetStateIds(Room room, ServerName server, EventId eventId, CancellationToken ct)
    {
        var answer = await client.Get<JsonElement>(server, StatePath("state_ids", room, eventId), ct, Within(MostBytesOfChain));
        return new StateIds([.. Ids(answer, "pdu_ids")], [.. Ids(answer, "auth_chain_ids")]);
    }

    /// <summary>The state before an event and its auth chain, in no particular order.</summary>
    public async Task<IReadOnlyList<Pdu>> GetState(Room room, ServerName server, EventId eventId, int most, CancellationToken ct)
    {
        var answer = await client.Get<JsonElement>(server, StatePath("state", room, eventId), ct, Within(MostBytesOfState));
        return [.. await Read(room, answer, "pdus", most, ct), .. await Read(room, answer, "auth_chain", most, ct)];
    }

    async Task<IReadOnlyList<Pdu>> Read(Room room, JsonElement answer, string member, int most, CancellationToken ct)
    {
        var events = new List<ReadOnlyMemory<byte>>();
        foreach (var e in Array(answer, member))
        {
            if (events.Count == most)
                break; // more than was asked for
            events.Add(JsonMarshal.GetRawUtf8Value(e).ToArray());
        }
        var verified = await verifier.Verify(events, room.Rules, ct);
        return [.. verified.Select(v => v.Pdu).OfType<Pdu>().Where(pdu => pdu.RoomId == room.RoomId).DistinctBy(pdu => pdu.EventId)];
    }

    static IEnumerable<EventId> Ids(JsonElement answer, string member)
    {
        foreach (var id in Array(answer, member))
        {
            if (id.ValueKind == JsonValueKind.String && EventId.TryParse(id.GetString(), out var parsed))
                yield return parsed;
        }
    }

    static JsonElement.ArrayEnumerator Array(JsonElement answer, string member) =>
        answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty(member, out var array) && array.ValueKind == JsonValueKind.Array
            ? array.EnumerateArray() : default;

    static string StatePath(string what, Room room, EventId eventId) =>
        $"/_matrix/federation/v1/{what}/{Escape(room.RoomId)}?event_id={Uri.EscapeDataString(eventId.ToString())}";

    static string Escape(RoomId roomId) => Uri.EscapeDataString(roomId.ToString());

    static FederationRequest Within(int bytes) => new() { MaxBytes = bytes };
}
