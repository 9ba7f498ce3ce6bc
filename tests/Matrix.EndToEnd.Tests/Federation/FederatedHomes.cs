using System.Globalization;
using System.Text.Json;
using Matrix.LocalStack;
using Matrix.Testing;
using Matrix.Testing.Servers;

namespace Matrix.EndToEnd.Tests.Federation;

/// <summary>A homeserver with people on it.</summary>
/// <param name="server">Null for one that is not ours.</param>
public sealed class Home(string name, Uri url, RunningServer? server = null) : IDisposable
{
    static int s_users;
    readonly HttpClient _http = new() { BaseAddress = url, Timeout = TimeSpan.FromSeconds(60) };

    /// <summary>What stands behind the colon of its users' ids.</summary>
    public string Name => name;

    /// <summary>Its processes.</summary>
    public RunningServer Server => server!;

    public async Task<User> NewUser(string person)
    {
        const string Password = "correct horse battery staple";
        var username = $"{person}-{Interlocked.Increment(ref s_users)}";
        var reply = (await new ApiClient(_http).Post("/_matrix/client/v3/register", new { username, password = Password, auth = new { type = "m.login.dummy" } })).Ok();
        return new User(_http, reply.String("user_id"), reply.String("device_id"), reply.String("access_token"), Password);
    }

    public void Dispose() => _http.Dispose();
}

/// <summary>
/// Homeservers that federate with each other by one private authority: our split stack, our all-in-one, and a real Synapse where MATRIX_TEST_PEER names
/// one (tests/README.md). Each starts when a test first asks for it.
/// </summary>
public sealed class FederatedHomes : IAsyncDisposable
{
    public const string Split = "split stack", Whole = "all-in-one", Peer = "Synapse";

    readonly CertificateAuthority _authority = new();
    readonly Dictionary<string, Lazy<Task<Home>>> _homes;
    readonly List<RunningServer> _servers = [];
    readonly int _wholePort = FreePort.Find();
    SynapsePeer? _peer;

    public FederatedHomes()
    {
        ToWhole = new TcpProxy("127.0.0.1", _wholePort);
        _homes = new() { [Split] = new(() => StartSplit()), [Whole] = new(() => StartWhole()), [Peer] = new(() => StartPeer()) };
    }

    /// <summary>What other servers send to the all-in-one passes here.</summary>
    public TcpProxy ToWhole { get; }

    /// <summary>Who invites, and who is invited: each with each, both ways.</summary>
    public static TheoryData<string, string> Pairs => new() { { Split, Whole }, { Whole, Split }, { Split, Peer }, { Peer, Split } };

    /// <summary>Skips the test where the peer is not installed.</summary>
    public async Task<(Home First, Home Second)> Get(string first, string second)
    {
        Assert.SkipWhen(!SynapsePeer.IsThere && Peer is var peer && (first == peer || second == peer), SynapsePeer.Missing);
        var both = await Task.WhenAll(_homes[first].Value, _homes[second].Value);
        return (both[0], both[1]);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var home in _homes.Values.Where(home => home.IsValueCreated && home.Value.IsCompletedSuccessfully))
            (await home.Value).Dispose();
        await Task.WhenAll(_servers.Select(server => server.DisposeAsync().AsTask()));
        if (_peer is not null)
            await _peer.DisposeAsync();
        await ToWhole.DisposeAsync();
        _authority.Dispose();
    }

    Task<Home> StartSplit()
    {
        var port = FreePort.Find();
        return Start(port, [], "--tls-port", port.ToString(CultureInfo.InvariantCulture), "--replicas", "federation-reader=2", "federation-sender=2");
    }

    Task<Home> StartWhole() => Start(ToWhole.Port, new() { ["MATRIX__tls_listen"] = $"https://127.0.0.1:{_wholePort}" }, "--all-in-one");

    async Task<Home> Start(int port, Dictionary<string, string> environment, params string[] options)
    {
        var (certificate, key) = _authority.IssueFiles("localhost", "127.0.0.1");
        environment["MATRIX__tls_certificate_path"] = certificate;
        environment["MATRIX__tls_private_key_path"] = key;
        environment["MATRIX__federation_custom_ca_list"] = _authority.File;
        environment["MATRIX__ip_range_whitelist"] = "127.0.0.0/8,::1/128";
        environment["MATRIX__federation__destination_min_retry_interval"] = "1s";
        environment["MATRIX__allow_public_rooms_over_federation"] = "true";
        var server = await RunningServer.Start($"localhost:{port}", environment, options);
        lock (_servers)
            _servers.Add(server);
        return new Home(server.Name, server.Url, server);
    }

    async Task<Home> StartPeer()
    {
        _peer = await SynapsePeer.Start(_authority);
        return new Home(_peer.Name, _peer.Url);
    }
}

/// <summary>What the tests wait for.</summary>
static class FederatedUsers
{
    const string V3 = "/_matrix/client/v3";

    /// <summary>Joins a room that this server may not know yet.</summary>
    public static Task<Reply> TryJoinVia(this User user, string room, params string[] servers) =>
        user.Post($"{V3}/join/{ApiClient.Esc(room)}?{string.Join('&', servers.SelectMany(server => new[] { $"server_name={ApiClient.Esc(server)}", $"via={ApiClient.Esc(server)}" }))}");

    public static async Task JoinVia(this User user, string room, string server)
    {
        (await user.TryJoinVia(room, server)).Ok();
        await user.KnowsMembers(room);
    }

    /// <summary>Waits until the user's server knows who is in the room: a sync that shows all members has it from then on.</summary>
    public static async Task KnowsMembers(this User user, string room) => (await user.Get($"{V3}/rooms/{ApiClient.Esc(room)}/joined_members")).Ok();

    public static Task<SyncReply> SeesMessage(this User user, string room, string body) => user.SyncUntil(sync => sync.HasMessage(room, body));

    /// <summary>Waits until the room's state has this content, as this user's server sees it.</summary>
    public static Task SeesState(this User user, string room, string type, string stateKey, Func<JsonElement, bool> arrived) =>
        Eventually.True($"{user.UserId} sees {type} of {stateKey}", async () =>
            await user.Get($"{V3}/rooms/{ApiClient.Esc(room)}/state/{ApiClient.Esc(type)}/{ApiClient.Esc(stateKey)}") is { Status: System.Net.HttpStatusCode.OK } state && arrived(state.Json));

    public static Task SeesMember(this User user, string room, User member, string membership) =>
        user.SeesState(room, "m.room.member", member.UserId, content => content.String("membership") == membership);

    /// <summary>A room of the first user's, that the second has joined by invitation.</summary>
    public static async Task<string> RoomWith(this User first, User second, string? version = null)
    {
        var room = await first.CreateRoom(version == null ? new { preset = "private_chat" } : new { preset = "private_chat", room_version = version });
        await first.Invite(room, second);
        await second.SyncUntil(sync => sync.Invited(room) != null);
        await second.Join(room);
        await second.KnowsMembers(room);
        await first.SeesMember(room, second, "join");
        return room;
    }
}
