using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Joining;

/// <summary>Sends a join to a server that is in the room, and takes in what it tells of the room as it comes: its events are verified and stored while others arrive.</summary>
sealed class SendJoinExchange(FederationClient client, EventVerifier verifier, BulkOutliers outliers)
{
    const int VerifiedAtOnce = 500;
    static readonly int BatchesAtOnce = Math.Max(2, Environment.ProcessorCount);

    public async Task<JoinedRoom> Send(ServerName server, Room room, Pdu join, FederationRequest options, CancellationToken ct)
    {
        await using var answer = await Open(server, room, join, options, ct);
        var reader = new SendJoinAnswer(answer.Body);
        var (told, signed) = (outliers.Begin(room), join);
        var underway = new Queue<(SendJoinPart Part, Task<IReadOnlyList<VerifiedPdu>> Verified)>();
        var batch = new List<ReadOnlyMemory<byte>>(VerifiedAtOnce);
        var part = SendJoinPart.State;

        await foreach (var (found, json) in reader.Events(ct))
        {
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
        return new JoinedRoom(room, signed, told) { MembersOmitted = reader.MembersOmitted, Servers = reader.ServersInRoom, By = server };

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
                signed = good.FirstOrDefault(pdu => pdu.EventId == join.EventId) ?? join;
            else
                await told.Add(good, of == SendJoinPart.State, ct);
        }
    }

    async Task<FederationStream> Open(ServerName server, Room room, Pdu join, FederationRequest options, CancellationToken ct)
    {
        var path = $"send_join/{Uri.EscapeDataString(room.RoomId.ToString())}/{Uri.EscapeDataString(join.EventId.ToString())}";
        try
        {
            return await client.Open(server, HttpMethod.Put, $"/_matrix/federation/v2/{path}?omit_members=false", join.Json, ct, options);
        }
        catch (FederationException e) when (e is { Status: 404 or 405, Errcode: "M_UNRECOGNIZED" or null })
        {
            // a server from before the second version
            return await client.Open(server, HttpMethod.Put, $"/_matrix/federation/v1/{path}", join.Json, ct, options);
        }
    }
}
