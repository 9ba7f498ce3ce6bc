using System.ComponentModel.DataAnnotations;

namespace Matrix.ClientApi.Notices;

/// <summary>The key <c>server_notices</c> of homeserver.yaml: as whom the server speaks to its users.</summary>
public sealed class ServerNoticeOptions
{
    /// <summary>The user whom notices come from; it is made if it is not there. Null: there are no notices.</summary>
    [RegularExpression("[a-z0-9._=/+-]{1,200}")] public string? SystemMxidLocalpart { get; init; }

    public string? SystemMxidDisplayName { get; init; }

    public string? SystemMxidAvatarUrl { get; init; }

    public string RoomName { get; init; } = "Server Notices";
}
