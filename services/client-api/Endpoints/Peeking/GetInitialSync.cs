using System.Buffers;
using System.Text.Json;
using Matrix.ClientApi.Endpoints.History;
using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Filters;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Peeking;

/// <summary>GET /_matrix/client/v3/initialSync: what clients asked for before there was sync. A first answer of sync in its old form.</summary>
static class GetInitialSync
{
    const int DefaultLimit = 10, MostEvents = 50;

    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/initialSync", Handle);

    static async Task Handle(HttpContext context, Requester requester, FilterCache filters, SyncEngine engine, TimeProvider time, CancellationToken ct)
    {
        var archived = HistoryQuery.Boolean(context, "archived") == true;
        var limit = Math.Clamp(HistoryQuery.Limit(context, DefaultLimit), 1, MostEvents);
        var filter = $$$"""{"room":{"timeline":{"limit":{{{limit}}}},"include_leave":{{{(archived ? "true" : "false")}}}}}""";
        var request = new SyncRequest(
            requester.UserId.ToString(), requester.DeviceId.ToString(), null, null, await filters.Get(requester.UserId, filter, ct), false, StateAfter.No, TimeSpan.Zero);
        var result = await engine.Sync(request, ct);
        var sync = new ArrayBufferWriter<byte>();
        SyncWriter.Write(new JsonSplicer(sync), request, result, time.GetUtcNow().ToUnixTimeMilliseconds());
        using var json = JsonDocument.Parse(sync.WrittenMemory);
        await JsonBytes.Write(context, Rewrite(json.RootElement), ct);
    }

    static ReadOnlyMemory<byte> Rewrite(JsonElement sync)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var to = new Utf8JsonWriter(output))
        {
            to.WriteStartObject();
            to.WriteString("end", sync.GetProperty("next_batch").GetString());
            to.WriteStartArray("rooms");
            if (sync.TryGetProperty("rooms", out var rooms))
            {
                foreach (var membership in rooms.EnumerateObject())
                    foreach (var room in membership.Value.EnumerateObject())
                        Room(to, membership.Name, room);
            }
            to.WriteEndArray();
            Events(to, "presence", sync, "presence");
            Events(to, "account_data", sync, "account_data");
            to.WriteEndObject();
        }
        return output.WrittenMemory;
    }

    static void Room(Utf8JsonWriter to, string membership, JsonProperty room)
    {
        to.WriteStartObject();
        to.WriteString("room_id", room.Name);
        to.WriteString("membership", membership);
        if (room.Value.TryGetProperty("timeline", out var timeline))
        {
            to.WriteStartObject("messages");
            if (timeline.TryGetProperty("prev_batch", out var start))
            {
                to.WriteString("start", start.GetString());
                to.WriteString("end", start.GetString());
            }
            Events(to, "chunk", room.Value, "timeline");
            to.WriteEndObject();
        }
        // the invite itself is the last of what an invited user is shown
        if (membership == "invite" && room.Value.TryGetProperty("invite_state", out var shown) && shown.GetProperty("events") is var events && events.GetArrayLength() > 0)
        {
            to.WritePropertyName("invite");
            events[events.GetArrayLength() - 1].WriteTo(to);
        }
        Events(to, "state", room.Value, "state");
        Events(to, "account_data", room.Value, "account_data");
        to.WriteEndObject();
    }

    static void Events(Utf8JsonWriter to, string name, JsonElement parent, string member)
    {
        to.WritePropertyName(name);
        if (parent.TryGetProperty(member, out var list) && list.TryGetProperty("events", out var events))
        {
            events.WriteTo(to);
            return;
        }
        to.WriteStartArray();
        to.WriteEndArray();
    }
}
