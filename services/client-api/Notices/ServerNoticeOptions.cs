using System.ComponentModel.DataAnnotations;

namespace Matrix.ClientApi.Notices;

/// <summary>The key <c>server_notices</c> of homeserver.yaml: as whom the server speaks to its users.</summary>
public sealed class ServerNoticeOptions
{
    /// <summary>The user whom notices come from, by the part before the colon; it is made if it is not there. Left out: there are no notices.</summary>
    [RegularExpression("[a-z0-9._=/+-]{1,200}")] public string? SystemMxidLocalpart { get; init; }

    /// <summary>The name that this user is shown by.</summary>
    public string? SystemMxidDisplayName { get; init; }

    /// <summary>The picture of this user, as an <c>mxc:</c> address.</summary>
    public string? SystemMxidAvatarUrl { get; init; }

    /// <summary>What the rooms with notices are called.</summary>
    public string RoomName { get; init; } = "Server Notices";
}
