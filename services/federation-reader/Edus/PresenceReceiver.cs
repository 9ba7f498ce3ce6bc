using System.Text.Json;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Ephemeral;
using Matrix.Storage.Federation;

namespace Matrix.FederationReader.Edus;

/// <summary>Who is there: m.presence. Of users who are in no room here nobody is told.</summary>
sealed class PresenceReceiver(ReceivedEduStore store, EphemeralChannel channel, TimeProvider time)
{
    const int Most = 500, LongestStatus = 512;

    public async Task Receive(ServerName origin, IReadOnlyList<JsonElement> contents, CancellationToken ct)
    {
        var told = contents.SelectMany(Pushes).Where(push => push.ValueKind == JsonValueKind.Object && origin.IsUserOf(push.Text("user_id"))
            && push.Text("presence") is "online" or "offline" or "unavailable").Take(Most)
            .GroupBy(push => push.Text("user_id")!, StringComparer.Ordinal).ToDictionary(pushes => pushes.Key, pushes => pushes.Last(), StringComparer.Ordinal);
        if (told.Count == 0)
            return;
        var present = await store.ListPresent([.. told.Keys], ct);
        if (present.Count == 0)
            return;
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var facts = present.Select(user => Fact(user, told[user], now)).ToArray();
        channel.Tell(JsonSerializer.SerializeToUtf8Bytes(new PresenceNews(PresenceNews.KindName, PresenceNews.OfServer + origin, false, facts)));
    }

    static IEnumerable<JsonElement> Pushes(JsonElement content) =>
        content.TryGetProperty("push", out var push) && push.ValueKind == JsonValueKind.Array ? push.EnumerateArray() : [];

    static PresenceFact Fact(string user, JsonElement push, long now)
    {
        var isActive = push.TryGetProperty("currently_active", out var active) && active.ValueKind == JsonValueKind.True;
        var ago = Math.Max(0, push.Number("last_active_ago") ?? 0);
        var status = push.Text("status_msg") is { Length: <= LongestStatus } text ? text : null;
        return new PresenceFact(user, push.Text("presence")!, status, now, isActive ? now : Math.Max(1, now - ago));
    }
}
