using System.Text.Json;
using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;

namespace Matrix.Federation.Tests.Joins;

/// <summary>What users do with rooms of other servers.</summary>
static class Abroad
{
    public static string Esc(string text) => Uri.EscapeDataString(text);

    public static Task<Reply> TryJoin(this User user, string room, params MatrixServer[] via) =>
        user.Post($"/_matrix/client/v3/join/{Esc(room)}?{string.Join('&', via.Select(server => $"via={Esc(server.ServerName)}"))}");

    public static async Task JoinBy(this User user, MatrixServer via, string room) => (await user.TryJoin(room, via)).Ok();

    public static Task<Reply> TryInvite(this User user, string room, string other) =>
        user.Post($"/_matrix/client/v3/rooms/{Esc(room)}/invite", new { user_id = other });

    public static string? Membership(this IEnumerable<JsonElement> events, string user) =>
        events.LastOrDefault(e => e.String("type") == "m.room.member" && e.String("state_key") == user) is { ValueKind: JsonValueKind.Object } member
            ? member.String("content.membership") : null;

    /// <summary>The stripped state of an invite or a knock, as sync shows it.</summary>
    public static IReadOnlyList<JsonElement> Shown(this JsonElement room, string kind) => room.At(kind).At("events").Items();

    public static string? Name(this IReadOnlyList<JsonElement> shown) => shown.FirstOrDefault(e => e.String("type") == "m.room.name") is { ValueKind: JsonValueKind.Object } name
        ? name.String("content.name") : null;

    /// <summary>A server asks for the template of an event of its user, and fills it in.</summary>
    public static async Task<Pdu> MakeMembership(RemoteServer remote, MatrixServer at, string room, UserId user, string membership, object? content = null)
    {
        var made = (await remote.Get(at, $"/_matrix/federation/v1/make_{membership}/{Esc(room)}/{Esc(user.ToString())}?ver=10&ver=11&ver=12")).Ok();
        var template = made["event"];
        return remote.Build(RoomVersions.Find(made.String("room_version"))!, new PduBuilder
        {
            Type = "m.room.member",
            StateKey = user.ToString(),
            Sender = user,
            RoomId = RoomId.Parse(room),
            ContentElement = content is null ? template.GetProperty("content") : JsonSerializer.SerializeToElement(content),
            PrevEvents = [.. template.GetProperty("prev_events").Items().Select(id => EventId.Parse(id.GetString()!))],
            AuthEvents = [.. template.GetProperty("auth_events").Items().Select(id => EventId.Parse(id.GetString()!))],
            Depth = template.GetProperty("depth").GetInt64(),
            OriginServerTs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
        });
    }
}
