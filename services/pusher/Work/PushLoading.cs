using Matrix.Protocol;
using Matrix.Pusher.Mail;
using Matrix.Replication;
using Matrix.Storage.Push;

namespace Matrix.Pusher.Work;

/// <summary>Reads pushers into a roster.</summary>
sealed class PushLoading(PusherStore pushers, PushProgressStore progress, MailSender mail, PushOptions options)
{
    /// <summary>The users of shards that were just taken, with what waited there.</summary>
    /// <param name="places">By shard: how far the log was looked through for it.</param>
    public async Task<PushRoster> Load(IReadOnlyDictionary<short, (LeasedShard Held, long Position)> places, CancellationToken ct)
    {
        var roster = new PushRoster();
        var rows = (await progress.ListOfShards([.. places.Keys], ct)).Where(IsDelivered).ToList();
        var cursors = (await progress.List([.. rows.Select(row => row.PusherId)], ct)).ToDictionary(row => row.PusherId);
        foreach (var row in rows.Where(row => row.Kind == Storage.Push.Pusher.Email && cursors.ContainsKey(row.PusherId)))
            cursors[row.PusherId] = cursors[row.PusherId] with { Cursor = 0, Passed = cursors[row.PusherId].Cursor }; // rooms wait for each their own time
        var waiting = cursors.Values.SelectMany(row => row.Waiting.Where(position => position > row.Cursor)).Distinct().ToArray();
        var dues = waiting.Length == 0 ? [] : (await progress.ListEvents(waiting, ct)).ToDictionary(row => row.Position);
        foreach (var of in rows.GroupBy(row => row.UserId))
        {
            var (held, position) = places[PushShards.Of(of.Key)];
            var queues = new List<PusherQueue>();
            foreach (var row in of.Where(row => cursors.ContainsKey(row.PusherId)))
            {
                var own = cursors[row.PusherId];
                var queue = new PusherQueue(row, own, held.Number, options.KeptWhileFailing, held.Lease.Lost);
                foreach (var due in own.Waiting.Order().Where(dues.ContainsKey).Select(p => dues[p]))
                    queue.Add(new Due(due.Position, due.EventNid, due.RoomNid));
                queue.SkipTo(Math.Max(position, own.Passed));
                queues.Add(queue);
            }
            roster.Set(new PushUser(of.Key, held.Number) { Queues = queues });
        }
        return roster;
    }

    /// <summary>Reads a user's pushers anew.</summary>
    /// <returns>Those that are new or were set again.</returns>
    public async Task<IReadOnlyList<PusherQueue>> Reload(string userId, LeasedShard held, PushRoster roster, CancellationToken ct)
    {
        var rows = (await pushers.List(UserId.Parse(userId), ct)).Where(IsDelivered).ToList();
        var user = roster.Find(userId) ?? new PushUser(userId, held.Number);
        var known = user.Queues.ToDictionary(queue => queue.Pusher.PusherId);
        var news = rows.Where(row => !known.TryGetValue(row.PusherId, out var queue) || queue.Pusher.SetAt != row.SetAt).Select(row => row.PusherId).ToList();
        var cursors = (await progress.List(news, ct)).ToDictionary(row => row.PusherId);
        var (queues, changed) = (new List<PusherQueue>(), new List<PusherQueue>());
        foreach (var row in rows)
        {
            if (known.Remove(row.PusherId, out var queue))
            {
                if (cursors.TryGetValue(row.PusherId, out var now))
                {
                    queue.Replace(row);
                    queue.SkipTo(now.Cursor); // it may have been off for a while
                    changed.Add(queue);
                }
            }
            else if (cursors.TryGetValue(row.PusherId, out var own))
                changed.Add(queue = new PusherQueue(row, own, held.Number, options.KeptWhileFailing, held.Lease.Lost));
            if (queue is not null)
                queues.Add(queue);
        }
        foreach (var gone in known.Values)
            gone.Close();
        user.Queues = queues;
        roster.Set(user);
        return changed;
    }

    bool IsDelivered(Storage.Push.Pusher pusher) => pusher.Kind == Storage.Push.Pusher.Http || (pusher.Kind == Storage.Push.Pusher.Email && mail.IsEnabled);
}
