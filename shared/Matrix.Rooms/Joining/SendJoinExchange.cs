using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Storage.Rooms;
using Microsoft.Extensions.Options;

namespace Matrix.Rooms.Joining;

/// <summary>
/// Sends a join to a server that is in the room, and takes in what it tells of the room as it comes: its events are verified and stored while others arrive.
/// </summary>
sealed class SendJoinExchange(FederationClient client, EventVerifier verifier, BulkOutliers outliers, IOptions<PartialJoinOptions> options)
{
    const int VerifiedAtOnce = 500;
    static readonly int BatchesAtOnce = Math.Max(2, Environment.ProcessorCount);

    /// <summary>What a state may take at most, of a big room.</summary>
    static readonly FederationRequest BigAnswer = new() { Timeout = TimeSpan.FromMinutes(10), MaxBytes = 512L << 20 };

    /// <param name="omitMembers">The members are asked for later.</param>
    public async Task<JoinedRoom> Send(ServerName server, Room room, Pdu join, bool omitMembers, CancellationToken ct)
    {
        await using var answer = await Open(server, room, join, omitMembers, ct);
        var reader = new SendJoinAnswer(answer.Body);
        var signed = join;
        var told = await Take(reader, room, found => signed = found.FirstOrDefault(pdu => pdu.EventId == join.EventId) ?? join, () => { }, ct);
        return new JoinedRoom(room, signed, told) { MembersOmitted = reader.MembersOmitted, Servers = reader.ServersInRoom, By = server };
    }

    /// <summary>Takes in the whole state before an event.</summary>
    /// <param name="isBig">Called when it turns out to have more events than come at once, if it has.</param>
    /// <exception cref="FederationException">The server does not tell it.</exception>
    public async Task<ToldEvents> FetchState(ServerName server, Room room, EventId at, Action isBig, CancellationToken ct)
    {
        var path = $"/_matrix/federation/v1/state/{Uri.EscapeDataString(room.RoomId.ToString())}?event_id={Uri.EscapeDataString(at.ToString())}";
        await using var answer = await client.Open(server, HttpMethod.Get, path, null, ct, BigAnswer with { IgnoreBackoff = true });
        try
        {
            return await Take(new SendJoinAnswer(answer.Body) { LongestSilence = options.Value.Silence }, room, _ => { }, isBig, ct);
        }
        catch (TimeoutException e)
        {
            throw new FederationException(server, FederationFailure.TimedOut, "it has gone silent while it told the state of a room", e);
        }
    }

    async Task<ToldEvents> Take(SendJoinAnswer reader, Room room, Action<IEnumerable<Pdu>> joined, Action isBig, CancellationToken ct)
    {
        var told = outliers.Begin(room);
        var underway = new Queue<(SendJoinPart Part, Task<IReadOnlyList<VerifiedPdu>> Verified)>();
        var batch = new List<ReadOnlyMemory<byte>>(VerifiedAtOnce);
        var part = SendJoinPart.State;

        await foreach (var (found, json) in reader.Events(ct))
        {
            if (batch.Count == VerifiedAtOnce)
                isBig();
            if (batch.Count == VerifiedAtOnce || (batch.Count > 0 && found != part))
                await Begin();
            part = found;
            batch.Add(json);
        }
        if (batch.Count > 0)
            await Begin();
        while (underway.Count > 0)
            await End();
        await told.End(ct);
        return told;

        async Task Begin()
        {
            if (underway.Count == BatchesAtOnce)
                await End();
            ReadOnlyMemory<byte>[] some = [.. batch];
            batch.Clear();
            underway.Enqueue((part, Task.Run(() => verifier.Verify(some, room.Rules, ct), ct)));
        }

        async Task End()
        {
            var (of, verified) = underway.Dequeue();
            var good = (await verified).Select(v => v.Pdu).OfType<Pdu>().Where(pdu => pdu.RoomId == room.RoomId);
            if (of == SendJoinPart.Join)
                joined(good);
            else
                await told.Add(good, of == SendJoinPart.State, ct);
        }
    }

    async Task<FederationStream> Open(ServerName server, Room room, Pdu join, bool omitMembers, CancellationToken ct)
    {
        var path = $"send_join/{Uri.EscapeDataString(room.RoomId.ToString())}/{Uri.EscapeDataString(join.EventId.ToString())}";
        try
        {
            var omits = omitMembers ? "true" : "false";
            return await client.Open(server, HttpMethod.Put, $"/_matrix/federation/v2/{path}?omit_members={omits}", join.Json, ct, BigAnswer);
        }
        catch (FederationException e) when (e is { Status: 404 or 405, Errcode: "M_UNRECOGNIZED" or null })
        {
            // a server from before the second version
            return await client.Open(server, HttpMethod.Put, $"/_matrix/federation/v1/{path}", join.Json, ct, BigAnswer);
        }
    }
}
