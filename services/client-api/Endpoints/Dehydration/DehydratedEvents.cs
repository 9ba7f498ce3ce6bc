using System.Globalization;
using Matrix.ClientApi.Keys;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Keys;

namespace Matrix.ClientApi.Endpoints.Dehydration;

/// <summary>The messages that came for a dehydrated device. They stay, so that another device can begin again.</summary>
sealed class DehydratedEvents(DehydratedDevices devices, ToDeviceStore messages)
{
    const int MostAtOnce = 100;

    /// <exception cref="MatrixException">400 for a token that is none; 403 for a device that is not the dehydrated one; 404 where there is none.</exception>
    public async Task Send(DeviceId deviceId, string? from, Requester requester, HttpContext context, CancellationToken ct)
    {
        var after = 0L;
        if (!string.IsNullOrEmpty(from) && !long.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out after))
            throw MatrixException.InvalidParam("'next_batch' is not a token of this server.");
        if ((await devices.Get(requester, ct)).DeviceId != deviceId.ToString())
            throw MatrixException.Forbidden("This is not your dehydrated device.");
        var found = await messages.List(requester.UserId.ToString(), deviceId.ToString(), after, long.MaxValue, MostAtOnce, ct);
        var answer = new System.Buffers.ArrayBufferWriter<byte>();
        await using (var json = new System.Text.Json.Utf8JsonWriter(answer))
        {
            json.WriteStartObject();
            json.WriteStartArray("events");
            foreach (var message in found)
                json.WriteRawValue(message.Message, skipInputValidation: true);
            json.WriteEndArray();
            json.WriteString("next_batch", (found.Count > 0 ? found[^1].Position : after).ToString(CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }
        context.Response.ContentType = "application/json";
        await context.Response.BodyWriter.WriteAsync(answer.WrittenMemory, ct);
    }
}
