using Matrix.Federation;
using Matrix.Protocol;

namespace Matrix.Rooms.Joining;

/// <param name="Servers">By which the room may be reached.</param>
public sealed record FoundRoom(RoomId RoomId, IReadOnlyList<ServerName> Servers);

/// <summary>Finds rooms by alias, of this server or another one, which is then asked (Server-Server API, GET /query/directory).</summary>
public sealed class RemoteAliases(RoomAliases aliases, FederationClient client, ServerSigningKey own)
{
    const int MaxServers = 50;

    /// <exception cref="RoomException">404: there is no such alias. 502: its server does not answer.</exception>
    public async Task<FoundRoom> Get(RoomAlias alias, CancellationToken ct)
    {
        if (alias.Server == own.ServerName)
            return new FoundRoom((await aliases.Get(alias, ct)).RoomId, [own.ServerName]);
        try
        {
            var answer = await client.Get<Answer>(alias.Server, $"/_matrix/federation/v1/query/directory?room_alias={Uri.EscapeDataString(alias.ToString())}", ct);
            return RoomId.TryParse(answer.RoomId, out var roomId)
                ? new FoundRoom(roomId, [.. (answer.Servers ?? []).OfType<string>().Where(s => ServerName.TryParse(s, out _)).Select(s => ServerName.Parse(s)).Take(MaxServers)])
                : throw new RoomException(502, "M_UNKNOWN", $"{alias.Server} gave no usable answer.");
        }
        catch (FederationException e) when (e.Status == 404)
        {
            throw RoomException.NotFound($"There is no alias {alias}.");
        }
    }

    /// <summary>The room that an id or an alias names, and the servers by which it may be reached.</summary>
    /// <param name="via">Servers that the user names.</param>
    public async Task<FoundRoom> Resolve(string roomIdOrAlias, IReadOnlyList<ServerName> via, CancellationToken ct)
    {
        if (RoomId.TryParse(roomIdOrAlias, out var roomId))
            return new FoundRoom(roomId, via);
        if (!RoomAlias.TryParse(roomIdOrAlias, out var alias))
            throw RoomException.Invalid($"'{roomIdOrAlias}' is neither a room id nor an alias.");
        var found = await Get(alias, ct);
        return found with { Servers = [.. via.Concat(found.Servers).Append(alias.Server).Distinct()] };
    }

    sealed record Answer(string? RoomId, IReadOnlyList<string?>? Servers);
}
