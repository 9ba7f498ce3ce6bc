using System.Text.Json;

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
}
