using System.Text.Json.Serialization;
using Matrix.ClientApi.Accounts;
using Matrix.ClientApi.Delayed;
using Matrix.Http;
using Matrix.Rooms;
using Microsoft.Extensions.Options;

namespace Matrix.ClientApi.Endpoints.Discovery;

/// <summary>GET /_matrix/client/v3/capabilities</summary>
static class GetCapabilities
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/capabilities", Handle);

    static Response Handle(Requester requester, AccountOptions options, DelayedEventOptions delayed, IOptions<RoomOptions> rooms)
    {
        var user = new Enabled(!requester.IsGuest);
        return new Response(new Capabilities(
            new Enabled(!requester.IsGuest && options.PasswordConfig.Enabled),
            new Versions(rooms.Value.DefaultRoomVersion, RoomCreator.Versions.ToDictionary(rules => rules.Id, _ => "stable")),
            user, user, new Enabled(false), new Enabled(!requester.IsGuest && options.LoginViaExistingSession.Enabled), user, new Enabled(false),
            requester.IsAdmin ? Moderation.All : null, requester.IsAdmin ? Moderation.All : null,
            new Delays((long)delayed.MaxEventDelayDuration.TotalMilliseconds, delayed.MaxDelayedEventsPerUser)));
    }

    sealed record Response(Capabilities Capabilities);

    sealed record Capabilities(
        [property: JsonPropertyName("m.change_password")] Enabled ChangePassword,
        [property: JsonPropertyName("m.room_versions")] Versions RoomVersions,
        [property: JsonPropertyName("m.set_displayname")] Enabled SetDisplayName,
        [property: JsonPropertyName("m.set_avatar_url")] Enabled SetAvatarUrl,
        [property: JsonPropertyName("m.3pid_changes")] Enabled ThreepidChanges,
        [property: JsonPropertyName("m.get_login_token")] Enabled GetLoginToken,
        [property: JsonPropertyName("m.profile_fields")] Enabled ProfileFields,
        [property: JsonPropertyName("m.forget_forced_upon_leave")] Enabled ForgetForcedUponLeave,
        [property: JsonPropertyName("m.account_moderation")] Moderation? AccountModeration,
        [property: JsonPropertyName("uk.timedout.msc4323")] Moderation? UnstableAccountModeration,
        [property: JsonPropertyName("org.matrix.msc4140.delayed_events")] Delays DelayedEvents);

    sealed record Delays(long MaxDelayMs, int MaxScheduled);

    // for administrators alone
    sealed record Moderation(bool Suspend, bool Lock)
    {
        public static readonly Moderation All = new(true, true);
    }

    sealed record Enabled([property: JsonPropertyName("enabled")] bool Value);

    sealed record Versions(string Default, IReadOnlyDictionary<string, string> Available);
}
