using System.Collections.Concurrent;
using Matrix.Pusher.Work;
using Matrix.Storage;
using Matrix.Storage.Push;

namespace Matrix.Pusher.Mail;

/// <summary>
/// Works on the queues of mail pushers: what comes is left alone for a while, since most of it is read, and then one mail tells of all that was not.
/// </summary>
sealed partial class MailRunner(
    MailDigest digest, MailSender sender, PushMailStore store, PushProgress progress, MailOptions mail, PushOptions push, DatabaseOutage outage, TimeProvider time,
    ILogger<MailRunner> logger)
{
    readonly ConcurrentDictionary<PusherQueue, Task> sending = new();

    /// <summary>Begins to wait for what is to be mailed, unless somebody does; or asks the address whether it wants mail.</summary>
    public void Wake(PusherQueue queue)
    {
        if (queue.TryAsk())
            _ = Task.Run(() => Repeat(queue, Ask, TimeSpan.Zero), CancellationToken.None);
        else if (queue.TryStart())
            _ = Task.Run(() => Repeat(queue, Mail, mail.NotifDelayBeforeMail), CancellationToken.None);
    }

    /// <summary>Waits until no mail of these queues, which were closed before, is on its way.</summary>
    public Task WaitFor(IReadOnlyCollection<PusherQueue> closed, TimeSpan patience) => Task.WhenAny(
        Task.WhenAll(closed.Select(queue => sending.GetValueOrDefault(queue)).OfType<Task>()), Task.Delay(patience, time));

    /// <summary>Does the work until it is done, after each failure later.</summary>
    async Task Repeat(PusherQueue queue, Func<PusherQueue, CancellationToken, Task<TimeSpan?>> work, TimeSpan wait)
    {
        var failures = 0;
        try
        {
            while (true)
            {
                await Task.Delay(wait, time, queue.Closing);
                try
                {
                    if (await work(queue, queue.Closing) is not { } next)
                        break;
                    (failures, wait) = (0, next);
                }
                catch (Exception e) when (!queue.Closing.IsCancellationRequested)
                {
                    if (DatabaseOutage.IsOne(e))
                        outage.Failed(e);
                    else
                        NotMailed(queue.Pusher.PusherId, e.Message); // whatever the mail server or the library says
                    wait = Backoff.After(++failures, push);
                }
            }
        }
        catch (OperationCanceledException)
        {
            return; // another replica goes on
        }
        Wake(queue); // what came between the last look and now
    }

    async Task<TimeSpan?> Ask(PusherQueue queue, CancellationToken ct)
    {
        await sender.Send(digest.Confirmation(queue.Pusher), ct);
        await store.Asked(queue.Pusher.PusherId, ct);
        return null;
    }

    /// <summary>How long to wait for what is left; null: nothing is.</summary>
    async Task<TimeSpan?> Mail(PusherQueue queue, CancellationToken ct)
    {
        var items = queue.Snapshot();
        if (items.Count == 0)
            return queue.TryNext(out _) ? mail.NotifDelayBeforeMail : null;
        var made = await digest.Build(queue.Pusher, items, ct);
        if (made.Mail is not null)
        {
            var done = new TaskCompletionSource();
            sending[queue] = done.Task;
            try
            {
                await sender.Send(made.Mail, ct);
                Mailed(queue.Pusher.PusherId, made.Rooms.Count);
                await Settle(queue, items, made, ct);
            }
            finally
            {
                sending.TryRemove(queue, out _);
                done.SetResult();
            }
        }
        else
            await Settle(queue, items, made, ct);
        return mail.NotifDelayBeforeMail; // also for rooms that have to wait longer: they may be read meanwhile, which ends the waiting
    }

    async Task Settle(PusherQueue queue, IReadOnlyList<Due> items, Digest made, CancellationToken ct)
    {
        var left = queue.RemoveAllBut(items, made.Kept);
        var isThere = true;
        await progress.InTurn(async () => isThere = await store.Mailed(queue.Pusher.PusherId, items[^1].Position, left, made.Rooms, ct), ct);
        if (!isThere)
            queue.Close();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Mailed what is unread in {Rooms} rooms for pusher {PusherId}")]
    partial void Mailed(long pusherId, int rooms);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A mail of pusher {PusherId} could not be sent and is tried again: {Reason}")]
    partial void NotMailed(long pusherId, string reason);
}
