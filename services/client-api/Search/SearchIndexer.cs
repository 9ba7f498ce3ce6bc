using System.Text.Json;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Search;
using Npgsql;

namespace Matrix.ClientApi.Search;

/// <summary>
/// Follows the log into the search index and the user directory, under a lease: off the path of whoever writes. A message is found a moment after it
/// was sent. The cursor is in Postgres and moves with what it indexed, so nothing is left out or done twice.
/// </summary>
sealed partial class SearchIndexer(
    SearchIndexStore store, Leases leases, LogFollower follower, SearchOptions options, TimeProvider time, ILogger<SearchIndexer> logger) : BackgroundService
{
    const int Page = 1000;

    static readonly TimeSpan TakeoverAfter = TimeSpan.FromSeconds(10), Gathering = TimeSpan.FromMilliseconds(500),
        GatheringMore = TimeSpan.FromSeconds(2), Retry = TimeSpan.FromSeconds(5);

    readonly SemaphoreSlim news = new(1, 1);
    long? cursor;

    public override void Dispose()
    {
        news.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var subscription = follower.Subscribe(Look);
        await leases.Hold("search-index", TakeoverAfter, Follow, stoppingToken);
    }

    static bool Concerns(string? key) =>
        key is EventTypes.Member or EventTypes.Redaction or EventTypes.Name or EventTypes.Topic or "m.room.message";

    static bool IsMembership(IndexEntry entry) =>
        (LogKind)entry.Kind == LogKind.Membership || ((LogKind)entry.Kind == LogKind.Event && entry.Key == EventTypes.Member);

    void Look(IReadOnlyList<LogEntry> entries)
    {
        if (news.CurrentCount == 0 && entries.Any(entry => entry.Kind == LogKind.Membership || (entry.Kind == LogKind.Event && Concerns(entry.Key))))
            news.Release();
    }

    async Task Follow(Lease lease, CancellationToken ct)
    {
        cursor = null;
        while (true)
        {
            try
            {
                while (await Index(ct) == Page)
                {
                    // far behind: go on at once
                }
                // one message after a pause is found soon; where messages keep coming, a batch costs little more than each of them would
                var isBusy = await news.WaitAsync(GatheringMore, ct);
                if (!isBusy)
                    await news.WaitAsync(ct);
                await Task.Delay(isBusy ? GatheringMore : Gathering, time, ct);
            }
            catch (NpgsqlException e)
            {
                Failed(e);
                cursor = null;
                await Task.Delay(Retry, time, ct);
            }
        }
    }

    /// <returns>How many entries of the log were looked at.</returns>
    async Task<int> Index(CancellationToken ct)
    {
        var from = cursor ??= await store.GetCursor(ct);
        var entries = await store.ListEntries(from, Page, ct);
        if (entries.Count == 0)
            return 0;
        var change = new IndexChange();
        long[] nids = [.. entries.Where(entry => Concerns(entry.Key) && entry.Key != EventTypes.Member).Select(entry => entry.EventNid).OfType<long>()];
        foreach (var e in nids.Length > 0 ? await store.ListEvents(nids, ct) : [])
            Add(change, e);
        string[] users = [.. entries.Where(IsMembership).Select(entry => entry.UserId).OfType<string>().Distinct()];
        foreach (var user in users.Length > 0 ? await store.ListUsers(users, ct) : [])
            change.Users.Add((user, SearchWords.ToVector([user.DisplayName, user.UserId])));
        cursor = await store.Apply(change, from, entries[^1].Position, ct) ? entries[^1].Position : null;
        return cursor is null ? Page : entries.Count;
    }

    void Add(IndexChange change, IndexEvent e)
    {
        using var json = JsonDocument.Parse(e.Json);
        var content = json.RootElement.GetProperty("content");
        if (e.Type == EventTypes.Redaction)
        {
            if ((Text(content, "redacts") ?? Text(json.RootElement, "redacts")) is { } target)
                change.Redacted.Add(target);
        }
        else if (options.EnableSearch && !e.IsRedacted && Texts(e.Type, content) is ({ } kind, var texts) && texts.Any(text => text is not null))
            change.Events.Add((e.EventNid, e.RoomNid, e.Position, SearchWords.ToVector(texts, SearchStore.MarkOf(e.RoomNid), SearchStore.KindOf(kind))));
    }

    static (string Kind, string?[] Texts) Texts(string type, JsonElement content) => type switch
    {
        EventTypes.Name => ("content.name", [Text(content, "name")]),
        EventTypes.Topic => ("content.topic", [Text(content, "topic"), .. PlainTopics(content)]),
        _ => ("content.body", [Text(content, "body")]),
    };

    // content['m.topic'] (Client-Server API, "Server Side Search"): the plain text among its representations
    static IEnumerable<string?> PlainTopics(JsonElement content)
    {
        if (!content.TryGetProperty("m.topic", out var topic) || topic.ValueKind != JsonValueKind.Object
            || !topic.TryGetProperty("m.text", out var representations) || representations.ValueKind != JsonValueKind.Array)
            yield break;
        foreach (var representation in representations.EnumerateArray().Where(r => r.ValueKind == JsonValueKind.Object))
        {
            if ((Text(representation, "mimetype") ?? "text/plain") == "text/plain")
                yield return Text(representation, "body");
        }
    }

    static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    [LoggerMessage(Level = LogLevel.Warning, Message = "The search index could not be brought up to date")]
    partial void Failed(Exception cause);
}
