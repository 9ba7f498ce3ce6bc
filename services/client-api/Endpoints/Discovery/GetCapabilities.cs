using System.Text.Json.Serialization;
using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Rooms;
using Microsoft.Extensions.Options;

namespace Matrix.ClientApi.Endpoints.Discovery;

/// <summary>GET /_matrix/client/v3/capabilities</summary>
static class GetCapabilities
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/capabilities", Handle);

    static Response Handle(Requester requester, AccountOptions options, IOptions<RoomOptions> rooms)
    {
        var user = new Enabled(!requester.IsGuest);
        return new Response(new Capabilities(
            new Enabled(!requester.IsGuest && options.PasswordConfig.Enabled),
            new Versions(rooms.Value.DefaultRoomVersion, RoomCreator.Versions.ToDictionary(rules => rules.Id, _ => "stable")),
            user, user, new Enabled(false), new Enabled(false), user));
    }

    sealed record Response(Capabilities Capabilities);

    sealed record Capabilities(
        [property: JsonPropertyName("m.change_password")] Enabled ChangePassword,
        [property: JsonPropertyName("m.room_versions")] Versions RoomVersions,
        [property: JsonPropertyName("m.set_displayname")] Enabled SetDisplayName,
        [property: JsonPropertyName("m.set_avatar_url")] Enabled SetAvatarUrl,
        [property: JsonPropertyName("m.3pid_changes")] Enabled ThreepidChanges,
        [property: JsonPropertyName("m.get_login_token")] Enabled GetLoginToken,
        [property: JsonPropertyName("m.profile_fields")] Enabled ProfileFields);

    sealed record Enabled([property: JsonPropertyName("enabled")] bool Value);

    sealed record Versions(string Default, IReadOnlyDictionary<string, string> Available);
}
