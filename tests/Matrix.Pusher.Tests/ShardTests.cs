using Matrix.Pusher.Work;
using Matrix.Replication;
using Matrix.Storage.Push;
using Matrix.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Matrix.Pusher.Tests;

/// <summary>How replicas share the work.</summary>
public sealed class ShardTests
{
    [Fact]
    public void A_user_is_always_in_the_same_shard_and_users_are_spread()
    {
        Assert.Equal(3, PushShards.Of("@alice:example.org")); // stored with every pusher
        var used = Enumerable.Range(0, 1000).Select(i => PushShards.Of($"@user{i}:example.org")).GroupBy(shard => shard).ToList();
        Assert.Equal(PushShards.Count, used.Count);
        Assert.All(used, users => Assert.InRange(users.Count(), 30, 100));
    }

    [Fact]
    public async Task A_replica_gives_half_to_a_second_one_and_what_nobody_worked_on_meanwhile_is_pushed_when_that_has_gone()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var gateway = await TestGateway.Start();
        await using var server = await MatrixServer.Start(PushServer.Configure);
        var alice = await server.NewUser();
        var room = await alice.CreatePublicRoom();
        var receivers = new List<(User User, string Key)>();
        for (var i = 0; i < 8; i++)
        {
            var user = await server.NewUser();
            await user.Join(room);
            receivers.Add((user, await PushServer.SetPusher(user, gateway.Url)));
        }
        await alice.Say(room, "before");
        await Pushed(gateway, receivers, 1);

        // a replica that takes its part and does nothing, as one that hangs
        var second = PushWork.Shards(server.Services.GetRequiredService<Leases>(), server.Services.GetRequiredService<NpgsqlDataSource>());
        await Eventually.True("the second has half of the shards", async () =>
        {
            await second.Balance(ct);
            return second.Held.Count == PushShards.Count / 2;
        });
        var taken = second.Held.Select(held => held.Number).ToHashSet();
        var (kept, waiting) = (receivers.Where(r => !taken.Contains(PushShards.Of(r.User.UserId))).ToList(), receivers.Where(r => taken.Contains(PushShards.Of(r.User.UserId))).ToList());
        await alice.Say(room, "meanwhile");
        await Pushed(gateway, kept, 2);
        Assert.All(waiting, r => Assert.Single(gateway.For(r.Key)));

        await second.Leave();
        await alice.Say(room, "after");
        await Pushed(gateway, receivers, 3);
        Assert.All(receivers, r => Assert.Equal(["before", "meanwhile", "after"], gateway.For(r.Key).Select(n => n.String("content.body"))));
    }

    static async Task Pushed(TestGateway gateway, IEnumerable<(User User, string Key)> receivers, int count)
    {
        foreach (var receiver in receivers)
            await gateway.Wait(receiver.Key, count);
    }
}
