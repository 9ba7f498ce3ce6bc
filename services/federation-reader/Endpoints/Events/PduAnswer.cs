using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.FederationReader.Endpoints.Events;

/// <summary>Writes answers that consist of events: their stored bytes, some at a time, so that a large state is never in memory as a whole.</summary>
sealed class PduAnswer(EventStore events, ServerSigningKey own, TimeProvider time)
{
    const int AtOnce = 500;

    /// <summary><c>{"origin", "origin_server_ts", "pdus": […]}</c></summary>
    public async Task SendTransaction(HttpContext context, IEnumerable<ReadOnlyMemory<byte>> pdus, CancellationToken ct)
    {
        var body = Begin(context);
        Write(body, $"{{\"origin\":{JsonSerializer.Serialize(own.ServerName.ToString())},\"origin_server_ts\":");
        Write(body, time.GetUtcNow().ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture) + ",\"pdus\":");
        WriteArray(body, pdus);
        Write(body, "}");
        await body.FlushAsync(ct);
    }

    /// <summary><c>{"events": […]}</c></summary>
    public static async Task SendList(HttpContext context, string name, IEnumerable<ReadOnlyMemory<byte>> pdus, CancellationToken ct)
    {
        var body = Begin(context);
        Write(body, $"{{\"{name}\":");
        WriteArray(body, pdus);
        Write(body, "}");
        await body.FlushAsync(ct);
    }

    /// <summary>Lists of stored events by name, as they come from the database.</summary>
    public async Task Send(HttpContext context, IReadOnlyList<(string Name, IReadOnlyCollection<long> Events)> lists, CancellationToken ct)
    {
        var body = Begin(context);
        var separator = "{";
        foreach (var (name, nids) in lists)
        {
            Write(body, $"{separator}\"{name}\":[");
            await WriteEvents(body, nids, ct);
            Write(body, "]");
            separator = ",";
        }
        Write(body, "}");
        await body.FlushAsync(ct);
    }

    async Task WriteEvents(PipeWriter body, IReadOnlyCollection<long> nids, CancellationToken ct)
    {
        var isFirst = true;
        foreach (var some in nids.Chunk(AtOnce))
        {
            var found = await events.Get(some, ct);
            foreach (var e in some.Select(found.GetValueOrDefault).OfType<StoredEvent>())
            {
                if (!isFirst)
                    Write(body, ",");
                isFirst = false;
                body.Write((e.RedactedBy is null ? e.Json : Pdu.FromStored(e.EventId, e.Json, e.Rules).Redact().Json).Span);
            }
            await body.FlushAsync(ct);
        }
    }

    static PipeWriter Begin(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        return context.Response.BodyWriter;
    }

    static void WriteArray(PipeWriter body, IEnumerable<ReadOnlyMemory<byte>> pdus)
    {
        var separator = "[";
        foreach (var pdu in pdus)
        {
            Write(body, separator);
            body.Write(pdu.Span);
            separator = ",";
        }
        Write(body, separator == "[" ? "[]" : "]");
    }

    static void Write(PipeWriter body, string text) => Encoding.UTF8.GetBytes(text, body);
}
