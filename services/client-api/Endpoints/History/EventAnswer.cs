using System.Buffers;
using Matrix.ClientApi.Sync;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.History;

/// <summary>Writes answers that are made of events.</summary>
sealed class EventAnswer(Requester requester, EventBatch batch, TimeProvider time)
{
    readonly ArrayBufferWriter<byte> output = new(4096);
    readonly EventAudience audience = new(
        requester.UserId.ToString(), requester.DeviceId.ToString(), time.GetUtcNow().ToUnixTimeMilliseconds(), true);
    bool first = true;

    JsonSplicer To => new(output);

    public EventAnswer Text(string name, string? value)
    {
        if (value is null)
            return this;
        Name(name);
        To.String(value);
        return this;
    }

    public EventAnswer Number(string name, long value)
    {
        Name(name);
        To.Number(value);
        return this;
    }

    public EventAnswer Event(string name, EncodedEvent e)
    {
        Name(name);
        EventWriter.Write(To, e, batch, audience);
        return this;
    }

    public EventAnswer Events(string name, IEnumerable<EncodedEvent> events)
    {
        Name(name);
        To.Raw("["u8);
        var firstEvent = true;
        foreach (var e in events)
        {
            To.Comma(ref firstEvent);
            EventWriter.Write(To, e, batch, audience);
        }
        To.Raw("]"u8);
        return this;
    }

    /// <summary>An object inside the answer.</summary>
    public EventAnswer Object(string name, Action<EventAnswer> fill)
    {
        Name(name);
        first = true;
        fill(this);
        To.Raw(first ? "{}"u8 : "}"u8);
        first = false;
        return this;
    }

    public Task Send(HttpContext context, CancellationToken ct)
    {
        To.Raw(first ? "{}"u8 : "}"u8);
        return JsonBytes.Write(context, output.WrittenMemory, ct);
    }

    /// <summary>The answer is this one event.</summary>
    public Task SendOnly(EncodedEvent e, HttpContext context, CancellationToken ct)
    {
        EventWriter.Write(To, e, batch, audience);
        return JsonBytes.Write(context, output.WrittenMemory, ct);
    }

    void Name(string name)
    {
        To.Raw(first ? "{"u8 : ","u8);
        first = false;
        To.String(name);
        To.Raw(":"u8);
    }
}
