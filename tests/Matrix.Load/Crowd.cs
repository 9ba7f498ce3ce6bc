namespace Matrix.Load;

/// <summary>The accounts and rooms of one server that scenarios use; made when first asked for, outside all measuring.</summary>
/// <param name="isTiny">Every number is cut to what shows that a scenario works.</param>
sealed class Crowd(HomeserverClient client, bool isTiny)
{
    const int Workers = 4;
    readonly string _run = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds().ToString("x", System.Globalization.CultureInfo.InvariantCulture);
    readonly List<User> _users = [];
    readonly List<GrowingRoom> _growing = [];
    int _fresh;

    public HomeserverClient Client => client;

    /// <summary>A number of the scenario, smaller in a tiny run.</summary>
    public int Size(int full, int tiny = 3) => isTiny ? Math.Min(full, tiny) : full;

    /// <summary>The first so many accounts of the crowd.</summary>
    public async Task<IReadOnlyList<User>> Users(int count, CancellationToken ct)
    {
        if (_users.Count < count) _users.AddRange(await NewUsers(count - _users.Count, ct));
        return _users.GetRange(0, count);
    }

    /// <summary>Accounts that are in no room yet.</summary>
    public async Task<IReadOnlyList<User>> NewUsers(int count, CancellationToken ct)
    {
        var users = new User[count];
        await Each(count, async i => users[i] = await client.Register(NewName(), "load-password", ct));
        return users;
    }

    public string NewName() => $"load{_run}x{Interlocked.Increment(ref _fresh)}";

    /// <summary>A public room of these accounts, whose first makes it.</summary>
    public async Task<string> Room(IReadOnlyList<User> members, CancellationToken ct)
    {
        var room = await client.CreateRoom(members[0], ct, isPublic: true);
        await Each(members.Count - 1, i => client.Join(members[i + 1], room, ct));
        return room;
    }

    /// <summary>A public room that has at least so many members, and hardly more; the same one grows from scenario to scenario.</summary>
    /// <param name="others">It is none of these.</param>
    public async Task<GrowingRoom> GrownRoom(int members, IReadOnlyCollection<GrowingRoom> others, CancellationToken ct)
    {
        var room = _growing.Where(room => room.Members < members * 1.2 && !others.Contains(room)).MaxBy(room => room.Members);
        if (room is null)
        {
            room = new(this, await client.CreateRoom((await Users(1, ct))[0], ct, isPublic: true));
            _growing.Add(room);
        }
        await room.GrowTo(members, ct);
        return room;
    }

    public static async Task Each(int count, Func<int, Task> action)
    {
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(async _ =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < count;) await action(i);
        }));
    }
}

/// <summary>A public room whose members are the crowd's first accounts.</summary>
sealed class GrowingRoom(Crowd crowd, string id)
{
    public string Id => id;

    public int Members { get; private set; } = 1;

    public async Task GrowTo(int members, CancellationToken ct)
    {
        var users = await crowd.Users(members, ct);
        var already = Members;
        await Crowd.Each(Math.Max(0, members - already), i => crowd.Client.Join(users[already + i], id, ct));
        Members = Math.Max(Members, members);
    }

    /// <summary>The next account of the crowd joins.</summary>
    public async Task JoinNext(IReadOnlyList<User> users, CancellationToken ct)
    {
        await crowd.Client.Join(users[Members], id, ct);
        Members++;
    }
}
