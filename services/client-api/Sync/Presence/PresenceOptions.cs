namespace Matrix.ClientApi.Sync.Presence;

/// <summary>The section <c>presence</c> of homeserver.yaml.</summary>
public sealed class PresenceOptions
{
    /// <summary>Are users told who is online?</summary>
    public bool Enabled { get; init; } = true;
}
