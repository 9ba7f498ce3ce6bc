using Matrix.ClientApi.Sync.Presence;
using Matrix.Rooms.Ephemeral;
using Matrix.Storage.Caching;
using Microsoft.Extensions.Time.Testing;

namespace Matrix.ClientApi.Tests.Presence;

/// <summary>Who is told of whom, without a server.</summary>
public sealed class PresenceIndexTests : IDisposable
{
    const long Hall = 1, Kitchen = 2, Garden = 3;
    static readonly HashSet<long> None = [];

    readonly Caches caches = new(new CacheOptions { PerCacheFactors = { ["presence_rooms"] = 0 } }); // the least there is
    readonly PresenceBoard board = new(new FakeTimeProvider());
    readonly PresenceIndex index;
    int changes;

    public PresenceIndexTests() => index = new PresenceIndex(board, caches);

    public void Dispose() => caches.Dispose();

    [Fact]
    public void A_reader_is_told_of_those_in_its_rooms_and_of_each_change_once()
    {
        Change(("@a:x", [Hall, Kitchen]), ("@b:x", [Kitchen]), ("@c:x", [Garden]));
        var (mark, first) = Read(null, Hall, Kitchen);
        Assert.Equal(["@a:x", "@b:x"], first);
        Assert.Empty(Read(mark, Hall, Kitchen).Users);
        Change(("@b:x", [Kitchen]), ("@c:x", [Garden]));
        Assert.Equal(["@b:x"], Read(mark, Hall, Kitchen).Users);
        Assert.Equal(["@a:x", "@b:x"], Read(new PresenceMark("pelse", 99), Hall, Kitchen).Users);
        Assert.Equal(["@me:x"], Own());
    }

    [Fact]
    public void Who_comes_to_a_room_is_told_there_and_who_left_is_not()
    {
        Change(("@a:x", [Hall]), ("@b:x", [Kitchen]));
        var mark = Read(null, Garden).Mark;
        index.Moved("@a:x");
        Assert.Equal(["@a:x"], index.ListSince(null, "@me:x", [Hall], None).Doubtful);
        Assert.Equal(["@a:x"], index.TakeMoved());
        Assert.Equal(["@a:x"], index.ListSince(null, "@me:x", [Hall], None).Doubtful);
        Assert.Equal([Garden], index.Publish(new HashSet<string>(), new Dictionary<string, long[]> { ["@a:x"] = [Garden] }).Rooms);
        Assert.Empty(index.TakeMoved());
        Assert.Equal(["@a:x"], Read(mark, Garden).Users);
        Assert.Empty(Read(null, Hall).Users);
        Assert.Equal(["@b:x"], [.. index.ListSince(Read(null).Mark, "@me:x", [Garden, Kitchen], new HashSet<long> { Kitchen }).Users]);
    }

    [Fact]
    public void What_is_kept_does_not_grow_with_changes_and_who_is_forgotten_is_gone()
    {
        for (var i = 0; i < 1000; i++)
            Change(("@a:x", [Hall]), ($"@{i % 10}:x", [Hall]));
        Assert.Equal(11, Read(null, Hall).Users.Length);
        index.Forget("@a:x");
        Assert.Equal(10, Read(null, Hall).Users.Length);
    }

    [Fact]
    public void Those_for_whose_rooms_there_is_no_place_are_left_to_the_reader()
    {
        long[] everywhere = [.. Enumerable.Range(1, 10_000).Select(room => (long)room)];
        Change(("@a:x", [Hall]));
        var mark = Read(null, Hall).Mark;
        Change(("@bot:x", everywhere));
        var changes = index.ListSince(mark, "@me:x", [Hall], None);
        Assert.Empty(changes.Users);
        Assert.Equal(["@bot:x"], changes.Doubtful);
        index.Forget("@bot:x");
        Assert.Empty(index.ListSince(mark, "@me:x", [Hall], None).Doubtful);
    }

    [Fact]
    public void Who_begins_to_sync_is_told_of_it_by_the_answer_and_others_are_woken_once()
    {
        var mark = Read(null, Hall).Mark;
        board.Apply("p", new PresenceFact("@me:x", "online", null, 1, 1));
        var (own, told) = Read(null, Hall);
        Assert.Equal(["@me:x"], told);
        var (_, rooms, woken) = index.Publish(new HashSet<string> { "@me:x" }, new Dictionary<string, long[]> { ["@me:x"] = [Hall] });
        Assert.Equal([Hall], rooms);
        Assert.Empty(woken);
        Assert.Empty(Read(own, Hall).Users);
        Assert.Equal(["@me:x"], [.. index.ListSince(mark, "@other:x", [Hall], None).Users]);
    }

    [Fact]
    public void Who_begins_to_sync_and_comes_to_a_room_in_one_moment_is_told_there()
    {
        board.Apply("p", new PresenceFact("@me:x", "online", null, 1, 1));
        Read(null, Hall);
        index.Moved("@me:x");
        index.TakeMoved();
        index.Publish(new HashSet<string> { "@me:x" }, new Dictionary<string, long[]> { ["@me:x"] = [Hall, Kitchen] });
        Assert.Equal(["@me:x"], [.. index.ListSince(null, "@other:x", [Kitchen], None).Users]);
    }

    string[] Own()
    {
        var mark = Read(null, Hall).Mark;
        Change(("@me:x", []));
        return Read(mark, Hall).Users;
    }

    void Change(params (string UserId, long[] Rooms)[] users)
    {
        foreach (var (userId, _) in users)
            board.Apply("p", new PresenceFact(userId, "online", $"change {++changes}", changes, 0));
        index.Publish(users.Select(user => user.UserId).ToHashSet(), users.ToDictionary(user => user.UserId, user => user.Rooms));
    }

    (PresenceMark Mark, string[] Users) Read(PresenceMark? mark, params long[] joined)
    {
        var changes = index.ListSince(mark, "@me:x", joined, None);
        Assert.Empty(changes.Doubtful);
        return (changes.Mark, [.. changes.Users.Order(StringComparer.Ordinal)]);
    }
}
