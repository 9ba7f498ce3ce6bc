using System.Buffers;
using System.Text.Json;
using Matrix.Storage.Federation;
using Matrix.Storage.Keys;

namespace Matrix.FederationSender.Queues;

/// <summary>
/// Writes what other servers are told of changes to a user's devices (Server-Server API, "Device Management"). The sequence of a user's updates is that of
/// the changes' positions, each of which names the one before; whoever misses one, or is told of a change that is more than one device, asks for
/// the whole list: such an update names one before it that there never was.
/// </summary>
static class DeviceEdus
{
    const long Never = 0;

    /// <summary>The change of one device, or, where it is not known which, of the list.</summary>
    public static IEnumerable<OutgoingEdu> Of(DeviceListChange change, string? deviceId, IReadOnlyList<PublishedKeys> keys)
    {
        if (deviceId is null && CrossSigning(change, keys) is { } crossSigning)
            yield return crossSigning;
        yield return Update(change, deviceId, keys);
    }

    static PlainEdu Update(DeviceListChange change, string? deviceId, IReadOnlyList<PublishedKeys> keys)
    {
        var device = keys.FirstOrDefault(k => k.DeviceId is not null && (deviceId is null || k.DeviceId == deviceId));
        // what was changed, if it is known
        var isExact = deviceId is not null && device is not null;
        return Edu("m.device_list_update", isExact ? $"{change.UserId} {deviceId}" : change.UserId, change.Position, json =>
        {
            json.WriteBoolean("deleted"u8, device is null);
            json.WriteString("device_id"u8, device?.DeviceId ?? deviceId ?? "unknown");
            if (device is not null)
            {
                json.WritePropertyName("keys"u8);
                PublishedKeysJson.Write(json, device);
            }
            json.WriteStartArray("prev_id"u8);
            if (!isExact || change.Previous is not null)
                json.WriteNumberValue(isExact ? change.Previous!.Value : Never);
            json.WriteEndArray();
            json.WriteNumber("stream_id"u8, change.Position);
            json.WriteString("user_id"u8, change.UserId);
        });
    }

    static PlainEdu? CrossSigning(DeviceListChange change, IReadOnlyList<PublishedKeys> keys)
    {
        var master = keys.FirstOrDefault(k => k.Usage == "master");
        var selfSigning = keys.FirstOrDefault(k => k.Usage == "self_signing");
        return master is null && selfSigning is null ? null : Edu("m.signing_key_update", change.UserId, change.Position, json =>
        {
            Key(json, "master_key", master);
            Key(json, "self_signing_key", selfSigning);
            json.WriteString("user_id"u8, change.UserId);
        });
    }

    static void Key(Utf8JsonWriter json, string name, PublishedKeys? key)
    {
        if (key is null)
            return;
        json.WritePropertyName(name);
        PublishedKeysJson.Write(json, key);
    }

    static PlainEdu Edu(string type, string key, long position, Action<Utf8JsonWriter> members)
    {
        var output = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
        json.WriteStartObject();
        members(json);
        json.WriteEndObject();
        json.Flush();
        return new PlainEdu(type, key, position, output.WrittenSpan.ToArray());
    }
}
