using System.Text;

namespace Matrix.Storage.Push;

/// <summary>
/// The work of pushing, cut into parts that replicas share by lease. All pushers of a user are in the same, so that what is known of the user is read
/// once.
/// </summary>
public static class PushShards
{
    /// <summary>As many replicas can share the work. Stored with each pusher: never change it.</summary>
    public const int Count = 16;

    /// <summary>FNV-1a of the user's id: the same in every process, for ever.</summary>
    public static short Of(string userId)
    {
        var hash = 2166136261u;
        foreach (var b in Encoding.UTF8.GetBytes(userId))
            hash = (hash ^ b) * 16777619;
        return (short)((hash ^ (hash >> 16)) % Count);
    }
}
