using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Matrix.LocalStack;

namespace Matrix.Ctl.Tests;

/// <summary>A span as a service sent it.</summary>
public sealed record Span(string Service, string Source, string Trace, string Id, string Parent, string Name);

/// <summary>Where services send their traces (OTLP over HTTP): keeps what came. Reads as much of the format as that takes.</summary>
sealed class TraceReceiver : IDisposable
{
    readonly HttpListener _listener = new();
    readonly ConcurrentQueue<Span> _spans = new();

    public TraceReceiver()
    {
        Url = $"http://127.0.0.1:{FreePort.Find()}";
        _listener.Prefixes.Add(Url + "/");
        _listener.Start();
        _ = Listen();
    }

    public string Url { get; }

    public IReadOnlyList<Span> Of(string trace) => [.. _spans.Where(span => span.Trace == trace)];

    async Task Listen()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return; // over
            }
            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            if (context.Request.Url!.AbsolutePath == "/v1/traces") Read(body.ToArray());
            context.Response.ContentType = "application/x-protobuf";
            context.Response.Close();
        }
    }

    // ExportTraceServiceRequest → ResourceSpans (1) → Resource (1), ScopeSpans (2) → InstrumentationScope (1), Span (2)
    void Read(byte[] request)
    {
        foreach (var resource in Fields(request, 1))
        {
            var attributes = Fields(resource, 1).SelectMany(described => Fields(described, 1))
                .ToDictionary(pair => Text(pair, 1), pair => Fields(pair, 2).Select(value => Text(value, 1)).FirstOrDefault());
            foreach (var scope in Fields(resource, 2))
            {
                var source = Fields(scope, 1).Select(named => Text(named, 1)).FirstOrDefault() ?? "";
                foreach (var span in Fields(scope, 2))
                    _spans.Enqueue(new(attributes.GetValueOrDefault("service.name") ?? "", source, Hex(span, 1), Hex(span, 2), Hex(span, 4), Text(span, 5)));
            }
        }
    }

    static string Text(byte[] message, int field) => Fields(message, field).Select(Encoding.UTF8.GetString).FirstOrDefault() ?? "";

    static string Hex(byte[] message, int field) => Fields(message, field).Select(Convert.ToHexStringLower).FirstOrDefault() ?? "";

    /// <summary>The fields of this number that have a length, each as its bytes.</summary>
    static IEnumerable<byte[]> Fields(byte[] message, int field)
    {
        for (var at = 0; at < message.Length;)
        {
            var tag = Number(message, ref at);
            switch (tag & 7)
            {
                case 0:
                    Number(message, ref at);
                    break;
                case 1:
                    at += 8;
                    break;
                case 5:
                    at += 4;
                    break;
                default:
                    var length = (int)Number(message, ref at);
                    if (tag >> 3 == (ulong)field) yield return message[at..(at + length)];
                    at += length;
                    break;
            }
        }
    }

    static ulong Number(byte[] message, ref int at)
    {
        var number = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var part = message[at++];
            number |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80) return number;
        }
    }

    public void Dispose() => _listener.Close();
}
