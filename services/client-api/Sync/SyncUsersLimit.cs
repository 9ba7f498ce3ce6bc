namespace Matrix.ClientApi.Sync;

/// <summary>
/// Whom <see cref="SyncHub"/> may forget: users without a request under way, for whom nobody asked for a while; and when all together take too
/// much memory, those who were away the longest. It costs a query when they come back.
/// </summary>
static class SyncUsersLimit
{
    /// <summary>At a cache factor of 1.</summary>
    public const int Bytes = 64 << 20;

    /// <summary>Looked at after so many new users.</summary>
    public const int Every = 64;

    const int OfUser = 800, OfRoom = 300;

    public static List<SyncUser> ToForget(IReadOnlyCollection<SyncUser> users, DateTimeOffset unusedSince, long limit)
    {
        var idle = users.Where(user => user.Uses == 0).OrderBy(user => user.LastUsed).ToList();
        var bytes = users.Sum(Weigh);
        var forget = 0;
        for (; forget < idle.Count && (idle[forget].LastUsed < unusedSince || bytes > limit); forget++)
            bytes -= Weigh(idle[forget]);
        return idle[..forget];
    }

    static long Weigh(SyncUser user) => OfUser + (long)OfRoom * user.Rooms.Count;
}
