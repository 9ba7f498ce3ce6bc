using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Storage.Caching;

namespace Matrix.Rooms.Spaces;

/// <summary>
/// What other servers tell of spaces and rooms that this one is not in. A walk through a space begins anew with every page of it: an answer is good for a
/// minute, which is how old what clients are shown of other servers' rooms may be.
/// </summary>
public sealed class RemoteSpaces(FederationClient client, ServerSigningKey own, Caches caches, TimeProvider time)
{
    /// <summary>No more than so many are asked for a room.</summary>
    public const int MaxServers = 5;

    const int MaxBytes = 2 << 20;
    static readonly TimeSpan Good = TimeSpan.FromMinutes(1);
    static readonly FederationRequest Limits = new() { MaxBytes = MaxBytes, Timeout = TimeSpan.FromSeconds(10) };

    readonly BoundedCache<(RoomId, bool), (DateTimeOffset At, ServedSpace? Space)> known =
        caches.Create<(RoomId, bool), (DateTimeOffset At, ServedSpace? Space)>("remote_spaces", 4 << 20, (_, _) => 8192);

    /// <summary>Null: none of the servers tells of it.</summary>
    public async Task<ServedSpace?> Find(RoomId roomId, IReadOnlyList<ServerName> via, bool suggestedOnly, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (known.TryGet((roomId, suggestedOnly), out var found) && now - found.At < Good)
            return found.Space;
        ServedSpace? space = null;
        foreach (var server in via.Where(server => server != own.ServerName).Distinct().Take(MaxServers))
        {
            try
            {
                space = await client.Get<ServedSpace>(server,
                    $"/_matrix/federation/v1/hierarchy/{Uri.EscapeDataString(roomId.ToString())}?suggested_only={(suggestedOnly ? "true" : "false")}", ct, Limits);
                if (space.Room.RoomId == roomId.ToString())
                    break;
                space = null;
            }
            catch (FederationException)
            {
                // the next one
            }
        }
        known.Set((roomId, suggestedOnly), (now, space));
        return space;
    }
}
