namespace Matrix.ClientApi.Sync.Devices;

/// <summary>Writes the parts of an answer that are about devices: messages to this one, others' lists, and what is left of this one's keys.</summary>
static class DeviceWriter
{
    public static void Write(JsonSplicer to, SyncResult result)
    {
        if (result.ToDevice.Messages.Count > 0)
        {
            to.Raw(",\"to_device\":{\"events\":"u8);
            Messages(to, result.ToDevice);
            to.Raw("}"u8);
        }
        if (!result.DeviceLists.IsEmpty)
        {
            to.Raw(",\"device_lists\":"u8);
            Lists(to, result.DeviceLists);
        }
        // always there: clients upload keys by them
        to.Raw(",\"device_one_time_keys_count\":"u8);
        OneTimeKeys(to, result.KeyCounts);
        to.Raw(",\"device_unused_fallback_key_types\":"u8);
        to.Strings(result.KeyCounts.UnusedFallback);
    }

    public static void Messages(JsonSplicer to, ToDeviceBatch batch)
    {
        to.Raw("["u8);
        var first = true;
        foreach (var message in batch.Messages)
        {
            to.Comma(ref first);
            to.Raw(message.Message);
        }
        to.Raw("]"u8);
    }

    public static void Lists(JsonSplicer to, DeviceListChanges lists)
    {
        to.Raw("{\"changed\":"u8);
        to.Strings(lists.Changed);
        to.Raw(",\"left\":"u8);
        to.Strings(lists.Left);
        to.Raw("}"u8);
    }

    public static void OneTimeKeys(JsonSplicer to, DeviceKeyCounts counts)
    {
        to.Raw("{"u8);
        var first = true;
        foreach (var (algorithm, count) in counts.OneTimeKeys)
        {
            to.Name(ref first, algorithm);
            to.Number(count);
        }
        to.Raw("}"u8);
    }
}
