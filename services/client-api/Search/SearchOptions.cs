namespace Matrix.ClientApi.Search;

/// <summary>What may be searched. Keys as Synapse has them.</summary>
public sealed class SearchOptions
{
    /// <summary>May users search events? If not, none are indexed from now on.</summary>
    public bool EnableSearch { get; init; } = true;

    public UserDirectoryOptions UserDirectory { get; init; } = new();

    public sealed class UserDirectoryOptions
    {
        /// <summary>May users search for users?</summary>
        public bool Enabled { get; init; } = true;

        /// <summary>Do they find all users of this server, and not only those whom they share a room with or who are in an open one?</summary>
        public bool SearchAllUsers { get; init; }
    }
}
