using Matrix.ClientApi.Sync.Devices;
using Matrix.ClientApi.Sync.Receipts;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>Writes an answer (MSC4186). What is empty, and what a client would not need to be told, is left out.</summary>
static class SlidingWriter
{
    public static void Write(JsonSplicer to, SlidingRequest request, SlidingAnswer answer, long now)
    {
        var result = answer.Result;
        to.Raw("{\"pos\":"u8);
        to.String(answer.Pos.ToString());
        to.Raw(",\"lists\":{"u8);
        var first = true;
        foreach (var (name, count) in result.Counts)
        {
            to.Comma(ref first);
            to.String(name);
            to.Raw(":{\"count\":"u8);
            to.Number(count);
            to.Raw("}"u8);
        }
        to.Raw("},\"rooms\":{"u8);
        first = true;
        var writer = new SlidingRoomWriter(to, request, result, new EventAudience(request.UserId, request.DeviceId, now, false));
        foreach (var room in result.Rooms)
        {
            to.Name(ref first, room.Plan.Entry.RoomId);
            writer.Write(room);
        }
        to.Raw("},\"extensions\":{"u8);
        Extensions(to, result.Extensions);
        to.Raw("}}"u8);
    }

    static void Extensions(JsonSplicer to, ExtensionResults results)
    {
        var first = true;
        if (results.ToDevice is { } toDevice)
        {
            to.Comma(ref first);
            to.Raw("\"to_device\":{\"next_batch\":"u8);
            to.String(ToDeviceToken.Write(toDevice.UpTo));
            to.Raw(",\"events\":"u8);
            DeviceWriter.Messages(to, toDevice);
            to.Raw("}"u8);
        }
        if (results.KeyCounts is { } counts)
        {
            to.Comma(ref first);
            E2ee(to, results.DeviceLists, counts);
        }
        if (results.GlobalAccountData.Count + results.RoomAccountData.Count > 0)
        {
            to.Comma(ref first);
            to.Raw("\"account_data\":{\"global\":"u8);
            PseudoEventWriter.AccountData(to, results.GlobalAccountData);
            to.Raw(",\"rooms\":{"u8);
            Rooms(to, results.RoomAccountData, PseudoEventWriter.AccountData);
            to.Raw("}}"u8);
        }
        if (results.Receipts.Count > 0)
        {
            to.Comma(ref first);
            to.Raw("\"receipts\":{\"rooms\":{"u8);
            Rooms(to, results.Receipts, ReceiptWriter.Write);
            to.Raw("}}"u8);
        }
        if (results.Typing.Count > 0)
        {
            to.Comma(ref first);
            to.Raw("\"typing\":{\"rooms\":{"u8);
            Rooms(to, results.Typing, PseudoEventWriter.Typing);
            to.Raw("}}"u8);
        }
        if (results.Threads is { } threads)
        {
            to.Comma(ref first);
            ThreadSubscriptionsWriter.Write(to, threads);
        }
    }

    static void E2ee(JsonSplicer to, DeviceListChanges lists, DeviceKeyCounts counts)
    {
        to.Raw("\"e2ee\":{\"device_one_time_keys_count\":"u8);
        DeviceWriter.OneTimeKeys(to, counts);
        to.Raw(",\"device_unused_fallback_key_types\":"u8);
        to.Strings(counts.UnusedFallback);
        if (!lists.IsEmpty)
        {
            to.Raw(",\"device_lists\":"u8);
            DeviceWriter.Lists(to, lists);
        }
        to.Raw("}"u8);
    }

    static void Rooms<T>(JsonSplicer to, SortedDictionary<string, T> rooms, Action<JsonSplicer, T> write)
    {
        var first = true;
        foreach (var (room, value) in rooms)
        {
            to.Name(ref first, room);
            write(to, value);
        }
    }
}
