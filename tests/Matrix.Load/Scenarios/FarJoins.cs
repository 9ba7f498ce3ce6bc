using System.Text;

namespace Matrix.Load.Scenarios;

/// <summary>A user joins a room of another server, which has many members. The server under load may answer before it knows all of them.</summary>
static class FarJoins
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        Join("far-join-5000", 5000, isWhole: false), Join("far-join-5000-whole", 5000, isWhole: true),
        Join("far-join-50000", 50_000, isWhole: false), Join("far-join-50000-whole", 50_000, isWhole: true),
    ];

    /// <summary>What the server still does after what is timed is waited for, and its processor time counted.</summary>
    static Scenario Join(string name, int members, bool isWhole) => new(
        name, $"joining another server's room of {members} until {(isWhole ? "all members are listed" : "a message is sent")}", async (crowd, ct) =>
    {
        var peer = await Peer.Start(ct);
        var user = (await crowd.Users(1, ct))[0];
        return async measure =>
        {
            var rooms = new Queue<FarRoom>(Enumerable.Range(0, crowd.Size(2, 1)).Select(_ => peer.Make(crowd.Size(members))));
            await measure.Begin();
            while (rooms.TryDequeue(out var room))
            {
                var id = room.RoomId.ToString();
                await measure.Timed(async () =>
                {
                    await crowd.Client.Join(user, id, measure.Stop, peer.Name.ToString());
                    await crowd.Client.Send(user, id, "first", measure.Stop);
                    if (isWhole) await Whole(crowd, user, id, crowd.Size(members), measure.Stop);
                });
                if (!isWhole) await Whole(crowd, user, id, crowd.Size(members), measure.Stop);
                peer.Forget(room);
            }
            measure.End();
        };
    });

    /// <summary>A server may make who asks for the members wait until it has them.</summary>
    public static async Task Whole(Crowd crowd, User user, string room, int members, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                var answer = await crowd.Client.Get(user, $"_matrix/client/v3/rooms/{Uri.EscapeDataString(room)}/joined_members", ct);
                if (Encoding.UTF8.GetString(answer).Split("\"@").Length - 1 > members) return;
            }
            catch (TaskCanceledException) when (!ct.IsCancellationRequested)
            {
                // it made us wait for longer than the client does
            }
            await Task.Delay(50, ct);
        }
    }
}
