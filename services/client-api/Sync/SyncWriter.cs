using Matrix.ClientApi.Sync.Devices;
using Matrix.ClientApi.Sync.Presence;
using Matrix.ClientApi.Sync.Receipts;
using Matrix.Protocol;
using Matrix.Rooms.Unread;
using Matrix.Storage;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>Writes an answer to a sync request (Client-Server API, "Syncing"). What is empty is left out.</summary>
static class SyncWriter
{
    public static void Write(JsonSplicer to, SyncRequest request, SyncResult result, long now)
    {
        var writer = new Writer(to, request, result, new EventAudience(request.UserId, request.DeviceId, now, false));
        to.Raw("{\"next_batch\":"u8);
        to.String(new SyncToken(result.NextBatch, result.Typing, result.ToDevice.UpTo, result.PresenceMark).ToString());
        if (result.AccountData.Count > 0)
        {
            to.Raw(",\"account_data\":"u8);
            writer.AccountData(result.AccountData);
        }
        if (result.Joined.Count + result.Left.Count + result.Invited.Count + result.Knocked.Count > 0)
            writer.Rooms();
        if (result.Presence.Count > 0)
            writer.Presence();
        DeviceWriter.Write(to, result);
        to.Raw("}"u8);
    }

    readonly struct Writer(JsonSplicer to, SyncRequest request, SyncResult result, EventAudience audience)
    {
        public void Rooms()
        {
            to.Raw(",\"rooms\":{"u8);
            var first = true;
            Updates("\"join\":{"u8, result.Joined, ref first);
            Stripped("\"invite\":{"u8, "{\"invite_state\":{\"events\":["u8, result.Invited, ref first);
            Stripped("\"knock\":{"u8, "{\"knock_state\":{\"events\":["u8, result.Knocked, ref first);
            Updates("\"leave\":{"u8, result.Left, ref first);
            to.Raw("}"u8);
        }

        public void Presence()
        {
            to.Raw(",\"presence\":{\"events\":["u8);
            var first = true;
            foreach (var (userId, state) in result.Presence)
            {
                to.Comma(ref first);
                SyncPresence.Write(to, userId, state, audience.Now);
            }
            to.Raw("]}"u8);
        }

        public void AccountData(List<AccountDataItem> items)
        {
            to.Raw("{\"events\":"u8);
            PseudoEventWriter.AccountData(to, items);
            to.Raw("}"u8);
        }

        void Updates(ReadOnlySpan<byte> opening, List<RoomUpdate> rooms, ref bool firstSection)
        {
            if (rooms.Count == 0)
                return;
            to.Comma(ref firstSection);
            to.Raw(opening);
            var first = true;
            foreach (var room in rooms)
            {
                to.Name(ref first, room.RoomId);
                Update(room);
            }
            to.Raw("}"u8);
        }

        void Update(RoomUpdate room)
        {
            to.Raw("{\"timeline\":{\"events\":"u8);
            Events(room.Timeline.Events);
            to.Raw(",\"limited\":"u8);
            to.Boolean(room.Timeline.Limited);
            to.Raw(",\"prev_batch\":"u8);
            to.String(room.Timeline.StartsAfter.ToString());
            to.Raw(request.StateAfter switch
            {
                StateAfter.No => "},\"state\":{\"events\":"u8,
                StateAfter.Stable => "},\"state_after\":{\"events\":"u8,
                _ => "},\"org.matrix.msc4222.state_after\":{\"events\":"u8,
            });
            Events(room.State);
            to.Raw("}"u8);
            if (room.Receipts.Count > 0 || room.Typing is not null)
                Ephemeral(room);
            if (room.AccountData.Count > 0)
            {
                to.Raw(",\"account_data\":"u8);
                AccountData(room.AccountData);
            }
            if (room.Counts is { } counts)
                Summary(counts);
            if (room.Unread is { } unread)
                Unread(unread);
            to.Raw("}"u8);
        }

        void Events(IReadOnlyList<EncodedEvent> events)
        {
            to.Raw("["u8);
            var first = true;
            foreach (var e in events)
            {
                to.Comma(ref first);
                EventWriter.Write(to, e, result.Events, audience);
            }
            to.Raw("]"u8);
        }

        void Ephemeral(RoomUpdate room)
        {
            to.Raw(",\"ephemeral\":{\"events\":["u8);
            var first = true;
            if (room.Receipts.Count > 0)
            {
                to.Comma(ref first);
                ReceiptWriter.Write(to, room.Receipts);
            }
            if (room.Typing is { } typing)
            {
                to.Comma(ref first);
                PseudoEventWriter.Typing(to, typing);
            }
            to.Raw("]}"u8);
        }

        void Unread(RoomUnread unread)
        {
            var byThread = request.Filter.Room.Timeline.UnreadThreadNotifications;
            to.Raw(",\"unread_notifications\":"u8);
            Count(byThread ? unread.Main : unread.Total);
            if (!byThread || unread.Threads.Count == 0)
                return;
            to.Raw(",\"unread_thread_notifications\":{"u8);
            var first = true;
            foreach (var (thread, count) in unread.Threads)
            {
                to.Name(ref first, thread);
                Count(count);
            }
            to.Raw("}"u8);
        }

        void Count(UnreadCount count)
        {
            to.Raw("{\"notification_count\":"u8);
            to.Number(count.Notifications);
            to.Raw(",\"highlight_count\":"u8);
            to.Number(count.Highlights);
            to.Raw("}"u8);
        }

        void Summary(RoomCounts counts)
        {
            to.Raw(",\"summary\":{\"m.joined_member_count\":"u8);
            to.Number(counts.JoinedCount);
            to.Raw(",\"m.invited_member_count\":"u8);
            to.Number(counts.InvitedCount);
            to.Raw(",\"m.heroes\":"u8);
            var userId = request.UserId;
            to.Strings(counts.Heroes.Where(hero => hero != userId).Take(RoomPreview.MaxHeroes));
            to.Raw("}"u8);
        }

        void Stripped(ReadOnlySpan<byte> opening, ReadOnlySpan<byte> roomOpening, List<StrippedRoom> rooms, ref bool firstSection)
        {
            if (rooms.Count == 0)
                return;
            to.Comma(ref firstSection);
            to.Raw(opening);
            var firstRoom = true;
            foreach (var room in rooms)
            {
                to.Name(ref firstRoom, room.RoomId);
                to.Raw(roomOpening);
                var first = true;
                foreach (var e in room.State)
                {
                    to.Comma(ref first);
                    EventWriter.WriteStripped(to, e);
                }
                to.Raw("]}}"u8);
            }
            to.Raw("}"u8);
        }
    }
}
