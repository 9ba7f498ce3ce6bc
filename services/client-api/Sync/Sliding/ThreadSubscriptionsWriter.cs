using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>Writes what the extension for subscriptions to threads brings (MSC4308).</summary>
static class ThreadSubscriptionsWriter
{
    public static void Write(JsonSplicer to, ThreadSubscriptionBatch batch)
    {
        to.Raw("\"io.element.msc4308.thread_subscriptions\":{\"subscribed\":{"u8);
        Rooms(to, batch.Changes.Where(change => change.Subscribed));
        to.Raw("},\"unsubscribed\":{"u8);
        Rooms(to, batch.Changes.Where(change => !change.Subscribed));
        to.Raw("}"u8);
        if (batch.PrevBatch is { } token)
        {
            to.Raw(",\"prev_batch\":"u8);
            to.String(token);
        }
        to.Raw("}"u8);
    }

    static void Rooms(JsonSplicer to, IEnumerable<ThreadSubscription> changes)
    {
        var first = true;
        foreach (var room in changes.GroupBy(change => change.RoomId))
        {
            to.Comma(ref first);
            to.String(room.Key);
            to.Raw(":{"u8);
            var firstThread = true;
            foreach (var change in room)
            {
                to.Comma(ref firstThread);
                to.String(change.ThreadId);
                to.Raw(!change.Subscribed ? ":{\"bump_stamp\":"u8 : change.Automatic ? ":{\"automatic\":true,\"bump_stamp\":"u8 : ":{\"automatic\":false,\"bump_stamp\":"u8);
                to.Number(change.Position);
                to.Raw("}"u8);
            }
            to.Raw("}"u8);
        }
    }
}
