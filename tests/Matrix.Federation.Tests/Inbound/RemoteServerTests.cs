using Matrix.Federation.Tests.Harness;

namespace Matrix.Federation.Tests.Inbound;

/// <summary>Tests with a user of our server and a scripted server, both made anew for each.</summary>
public abstract class RemoteServerTests(FederatedServers servers) : IAsyncLifetime
{
    private protected readonly FederatedServers servers = servers;
    private protected User alice = null!;
    private protected RemoteServer remote = null!;

    public virtual async ValueTask InitializeAsync()
    {
        alice = await servers.First.NewUser();
        remote = await servers.NewRemote();
    }

    public async ValueTask DisposeAsync()
    {
        await remote.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}

/// <summary>The same with a public room of the user's.</summary>
public abstract class RemoteRoomTests(FederatedServers servers) : RemoteServerTests(servers)
{
    private protected string room = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        room = await alice.CreatePublicRoom();
    }
}

/// <summary>The same with a member whose server the scripted one is.</summary>
public abstract class RemoteMemberTests(FederatedServers servers) : RemoteRoomTests(servers)
{
    private protected RemoteMember eve = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        eve = await RemoteMember.Join(servers.First, remote, room);
    }
}
