using System.Text.Json.Nodes;
using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Membership;

/// <summary>Makes the content of member events (C-S API, m.room.member).</summary>
static class MemberContent
{
    public static EventDraft Draft(UserId sender, UserId target, JsonObject content) =>
        EventDraft.State(sender, EventTypes.Member, target.ToString(), (object)content);

    /// <param name="profile">The target's, where its name and picture may be shown: never of somebody who is thrown out.</param>
    public static JsonObject Create(string membership, MemberProfile? profile = null, string? reason = null)
    {
        var content = new JsonObject { ["membership"] = membership };
        if (profile?.DisplayName is { } displayName)
            content["displayname"] = displayName;
        if (profile?.AvatarUrl is { } avatarUrl)
            content["avatar_url"] = avatarUrl;
        if (reason is not null)
            content["reason"] = reason;
        return content;
    }
}
