using System.Text;
using System.Text.Json;
using Matrix.ClientApi.Endpoints.Rooms;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms;
using Matrix.Storage;
using Matrix.Storage.Rooms;

namespace Matrix.ClientApi.Delayed;

/// <summary>
/// Events that clients want sent later (MSC4140): a phone schedules that it has left a call, and puts it off again and again while it is there.
/// What is scheduled is in Postgres; <see cref="DelayedEventSender"/> sends what is due.
/// </summary>
sealed class DelayedEvents(
    DelayedEventStore store, RoomFinder rooms, RoomWriter writer, AccountStore accounts, RateLimits limits, EphemeralChannel channel, DelayedEventOptions options)
{
    // The event's transaction: whoever sends it again gets the event of the first time. No device of the user has this name at this endpoint.
    const string Endpoint = "delayed";
    static readonly DeviceId Nobody = DeviceId.Parse("delayed");

    /// <returns>The delay id.</returns>
    /// <exception cref="MatrixException">403: the delay is too long; 429: the user has scheduled too many.</exception>
    public async Task<string> Schedule(Requester requester, RoomId roomId, EventDraft draft, long delayMs, string? txnId, CancellationToken ct)
    {
        requester.MustNotBeSuspended();
        await limits.CheckMessage(requester, ct);
        if (delayMs <= 0) throw MatrixException.InvalidParam("The delay must be above zero.");
        if (delayMs > options.MaxEventDelayDuration.TotalMilliseconds)
            throw MatrixException.Forbidden($"The delay may be at most {(long)options.MaxEventDelayDuration.TotalMilliseconds} ms.");
        if (draft.Content.Length > Pdu.MaxBytes) throw MatrixException.TooLarge("The event is too large.");
        if (draft is { StateKey: not null, Type: EventTypes.Member or EventTypes.CanonicalAlias })
            throw MatrixException.Forbidden("Memberships and aliases cannot be delayed: they take more than an event.");
        await rooms.Get(roomId, ct);
        var content = Encoding.UTF8.GetString(draft.Content.Span);
        var scheduled = new NewDelayedEvent(
            SecretToken.Generate(), requester.UserId, requester.DeviceId, txnId, roomId, draft.Type, draft.StateKey, content, TimeSpan.FromMilliseconds(delayMs));
        var delayId = await store.Insert(scheduled, options.MaxDelayedEventsPerUser, ct) ?? throw await TooMany(requester.UserId, ct);
        if (scheduled.Delay < DelayedEventSender.LongestPause) channel.Tell(DelayedEventSender.Soon);
        return delayId;
    }

    /// <exception cref="MatrixException">404, 409: it was sent or cancelled before; or what the room refuses.</exception>
    public async Task Send(DelayedEvent e, CancellationToken ct)
    {
        if (e.EventId is not null) return;
        if (e.FinalisedAt is not null) throw Over("cancelled");
        if (!await store.Claim(e.DelayId, ct)) return; // it is being sent
        try
        {
            await Deliver(e, ct);
        }
        catch
        {
            await store.Release(e.DelayId, CancellationToken.None);
            throw;
        }
    }

    /// <inheritdoc cref="Send"/>
    public async Task Cancel(DelayedEvent e, CancellationToken ct)
    {
        if (await store.Cancel(e.DelayId, ct)) return;
        if (await store.Find(e.DelayId, ct) is not { FinalisedAt: not null, EventId: null }) throw Over("sent");
    }

    /// <inheritdoc cref="Send"/>
    public async Task Restart(DelayedEvent e, CancellationToken ct)
    {
        if (!await store.Restart(e.DelayId, ct)) throw Over("sent or cancelled");
    }

    /// <summary>Sends one that the caller has claimed, and notes that it was sent.</summary>
    /// <exception cref="RoomException">The room does not allow it.</exception>
    public async Task Deliver(DelayedEvent e, CancellationToken ct)
    {
        if (await accounts.Find(e.UserId, ct) is not { DeactivatedAt: null, IsLocked: false, IsSuspended: false })
            throw RoomException.Forbidden("The account can no longer send.");
        var draft = new EventDraft(e.UserId, e.Type, e.StateKey, Encoding.UTF8.GetBytes(e.Content), RedactedBy(e));
        var sent = await writer.Send(e.RoomId, draft, new TransactionId(e.UserId, Nobody, e.DelayId, Endpoint), ct);
        await store.Finalise(e.DelayId, sent.EventId.ToString(), null, ct);
    }

    static EventId? RedactedBy(DelayedEvent e)
    {
        if (e.Type != EventTypes.Redaction || e.StateKey is not null) return null;
        using var content = JsonDocument.Parse(e.Content);
        return content.RootElement.TryGetProperty("redacts", out var redacts) && redacts.ValueKind == JsonValueKind.String
            && EventId.TryParse(redacts.GetString(), out var id) ? id : null;
    }

    async Task<MatrixException> TooMany(UserId userId, CancellationToken ct) =>
        MatrixException.LimitExceeded(await store.FindNextOf(userId, ct) is { } wait && wait > TimeSpan.Zero ? wait : TimeSpan.FromSeconds(1));

    static MatrixException Over(string how) => new(409, "M_UNKNOWN", $"The event was {how} already.");
}
