using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Matrix.Gateway.Keeping;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Gateway.Tests;

/// <summary>Bodies that the gateway keeps and sends again once the service, asked each time, has said that they still hold.</summary>
public sealed class KeptBodyTests : IAsyncDisposable
{
    const int Size = 3 << 16; // whole pages
    const string Path = "/_matrix/client/v1/media/download/test.example/";

    readonly ConcurrentDictionary<string, byte[]> _files = new();
    readonly List<IAsyncDisposable> _running = [];
    Upstream _media = null!;

    [Fact]
    public async Task What_is_asked_for_again_is_sent_once_by_the_service_and_is_the_same_to_the_client()
    {
        var gateway = await Gateway();
        var content = Add("a");
        await Get(gateway, "a");
        await Get(gateway, "a");
        var first = await gateway.Client.GetAsync(Path + "a");
        Assert.Equal((HttpStatusCode.OK, Size, "video/mp4", 1), Described(first));
        Assert.Equal(content, await first.Content.ReadAsByteArrayAsync());
        Assert.Equal([("GET", null), ("GET", null), ("HEAD", Tag(content))], Asked());
        Assert.Single(first.Headers.GetValues("X-Request-Id"));

        // once only is not worth keeping
        Add("b");
        await Get(gateway, "b");
        Assert.Equal(Size, Kept(gateway).Bytes);
    }

    [Fact]
    public async Task A_replica_that_answers_no_questions_is_asked_by_the_request_itself()
    {
        _running.Add(_media = await Upstream.Start(Serve, together: false));
        var gateway = await Gateway();
        var content = Add("a");
        for (var i = 0; i < 3; i++) Assert.Equal(content, await (await Get(gateway, "a")).Content.ReadAsByteArrayAsync());
        Assert.Equal([("GET", null), ("GET", null), ("GET", Tag(content))], Asked().Where(asked => asked.Method != "POST"));
    }

    [Fact]
    public async Task A_question_that_hangs_holds_up_no_other_and_is_asked_alone()
    {
        var (gateway, gate) = (await Gateway(), new TaskCompletionSource());
        string[] names = ["a", "b", "c"];
        var contents = names.Select(name => Add(name)).ToArray();
        foreach (var name in names)
            for (var i = 0; i < 2; i++) await Get(gateway, name);
        _wait = context => HttpMethods.IsHead(context.Request.Method) && context.Request.Path.Value!.EndsWith('a') ? gate.Task.WaitAsync(context.RequestAborted) : Task.CompletedTask;
        try
        {
            var got = await Task.WhenAll(names.Select(async name => await (await Get(gateway, name)).Content.ReadAsByteArrayAsync()));
            Assert.Equal(contents, got);
            Assert.Equal(("GET", Tag(contents[0])), Asked().Last());
        }
        finally
        {
            gate.SetResult();
        }
    }

    [Fact]
    public async Task Many_who_ask_at_once_are_answered_each_for_himself()
    {
        var gateway = await Gateway();
        var content = Add("a");
        for (var i = 0; i < 2; i++) await Get(gateway, "a");
        _refuseTo = "Bearer bad";
        await Parallel.ForAsync(0, 64, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, ct) =>
        {
            var answer = await Get(gateway, "a", headers => headers.TryAddWithoutValidation("Authorization", i % 3 == 0 ? "Bearer bad" : "Bearer good"));
            if (i % 3 == 0) Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            else Assert.Equal(content, await answer.Content.ReadAsByteArrayAsync(ct));
        });
    }

    [Fact]
    public async Task The_headers_are_those_of_now()
    {
        var (gateway, answers) = (await Gateway(), 0);
        Add("a");
        _change = response => response.Headers["X-Answer"] = $"{++answers}";
        for (var i = 1; i <= 4; i++) Assert.Equal([$"{i}"], (await Get(gateway, "a")).Headers.GetValues("X-Answer"));
    }

    [Theory]
    [InlineData(404)]
    [InlineData(401)]
    [InlineData(503)]
    public async Task A_refusal_is_the_services_at_once(int status)
    {
        var gateway = await Gateway();
        var content = Add("a");
        for (var i = 0; i < 3; i++) await Get(gateway, "a");
        _refuse = status;
        Assert.Equal((status, "no"), await Refused());
        Assert.Equal(status == 404 ? 0 : Size, Kept(gateway).Bytes);
        _refuse = null;
        Assert.Equal(content, await (await Get(gateway, "a")).Content.ReadAsByteArrayAsync());

        async Task<(int, string)> Refused()
        {
            var response = await gateway.Client.GetAsync(Path + "a");
            return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task Other_content_under_the_same_address_takes_the_place_of_what_was_kept()
    {
        var gateway = await Gateway();
        Add("a");
        for (var i = 0; i < 3; i++) await Get(gateway, "a");
        var now = Add("a");
        for (var i = 0; i < 3; i++) Assert.Equal(now, await (await Get(gateway, "a")).Content.ReadAsByteArrayAsync());
        Assert.Equal(Size, Kept(gateway).Bytes);
    }

    [Fact]
    public async Task A_client_that_has_it_or_wants_a_part_asks_the_service()
    {
        var gateway = await Gateway();
        var content = Add("a");
        for (var i = 0; i < 3; i++) await Get(gateway, "a");

        var known = await Get(gateway, "a", headers => headers.IfNoneMatch.Add(new EntityTagHeaderValue(Tag(content))));
        Assert.Equal((HttpStatusCode.NotModified, 0), (known.StatusCode, (await known.Content.ReadAsByteArrayAsync()).Length));
        var other = await Get(gateway, "a", headers => headers.IfNoneMatch.Add(new EntityTagHeaderValue("\"other\"")));
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        var part = await Get(gateway, "a", headers => headers.Range = new RangeHeaderValue(10, 19));
        Assert.Equal((HttpStatusCode.PartialContent, 10), (part.StatusCode, (await part.Content.ReadAsByteArrayAsync()).Length));
        Assert.Equal([Tag(content), "\"other\"", null], _media.Requests.TakeLast(3).Select(request => request.Headers.GetValueOrDefault("If-None-Match")));
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, Path + "a"))).StatusCode);
    }

    [Theory]
    [InlineData("too-small", 1000, "")]
    [InlineData("too-large", 600_000, "")]
    [InlineData("not-tagged", Size, "")]
    [InlineData("no-length", Size, "")]
    [InlineData("varies", Size, "")]
    [InlineData("a", Size, "?access_token=secret")]
    public async Task Some_answers_are_not_kept(string name, int size, string query)
    {
        var gateway = await Gateway(("gateway:media_cache_largest", "500K"));
        var content = Add(name, size);
        for (var i = 0; i < 3; i++) Assert.Equal(content, await (await Get(gateway, name + query)).Content.ReadAsByteArrayAsync());
        Assert.Equal(0, Kept(gateway).Bytes);
        Assert.DoesNotContain(_media.Requests, request => request.Headers.ContainsKey("If-None-Match"));
    }

    [Fact]
    public async Task A_size_of_zero_switches_it_off()
    {
        var gateway = await Gateway(("gateway:media_cache_size", "0"));
        Add("a");
        for (var i = 0; i < 3; i++) await Get(gateway, "a");
        Assert.DoesNotContain(_media.Requests, request => request.Headers.ContainsKey("If-None-Match"));
    }

    [Fact]
    public async Task Memory_has_a_bound_with_any_number_of_files_and_the_least_recently_used_go_first()
    {
        var gateway = await Gateway(("gateway:media_cache_size", "1M"));
        for (var i = 0; i < 20; i++)
        {
            Add($"{i}");
            for (var again = 0; again < 2; again++) await Get(gateway, $"{i}");
            Assert.InRange(Kept(gateway).Bytes, 1, 1 << 20);
            await Get(gateway, "0"); // is used all the time
        }

        Assert.InRange(Kept(gateway).Bytes, (1 << 20) - (2 * Size), 1 << 20);
        Assert.Equal(20, _media.Requests.Count(request => request.Target == Path + "0" && request.Headers.ContainsKey("If-None-Match")));
        Assert.Equal(0, _media.Requests.Count(request => request.Target != Path + "0" && request.Headers.ContainsKey("If-None-Match")));
    }

    [Fact]
    public async Task Many_at_once_get_the_same_bytes_and_one_of_them_is_kept()
    {
        var gateway = await Gateway();
        var content = Add("a");
        await Parallel.ForAsync(0, 64, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, ct) =>
            Assert.Equal(content, await (await Get(gateway, "a")).Content.ReadAsByteArrayAsync(ct)));
        Assert.Equal(Size, Kept(gateway).Bytes);
    }

    [Fact]
    public async Task A_client_that_reads_slowly_holds_what_it_reads_and_others_are_served()
    {
        const int large = 16 << 20; // more than the sockets take
        var gateway = await Gateway(("gateway:media_cache_size", "20M"), ("gateway:media_cache_largest", "20M"));
        var content = Add("a", large);
        for (var i = 0; i < 2; i++) await Get(gateway, "a");
        using var slow = new TcpClient { ReceiveBufferSize = 4096 };
        await slow.ConnectAsync(IPAddress.Loopback, new Uri(gateway.Addresses[0]).Port);
        await slow.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET {Path}a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        var head = new byte[1];
        await slow.GetStream().ReadExactlyAsync(head); // it is being sent

        // dropped, it still counts: what would not fit beside it is passed on
        var next = Add("a", large);
        for (var i = 0; i < 3; i++) Assert.Equal(next, await (await Get(gateway, "a")).Content.ReadAsByteArrayAsync());
        Assert.Equal(large, Kept(gateway).Bytes);
        Assert.All(_media.Requests.TakeLast(2), request => Assert.False(request.Headers.ContainsKey("If-None-Match")));

        var rest = new MemoryStream();
        await slow.GetStream().CopyToAsync(rest);
        Assert.True(rest.GetBuffer().AsSpan(0, (int)rest.Length).EndsWith(content));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (Kept(gateway).Bytes > 0) // whoever sent it gives it back after the client has all of it
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    [Fact]
    public async Task A_replica_that_breaks_off_leaves_nothing_behind()
    {
        var gateway = await Gateway();
        Add("a");
        await Get(gateway, "a");
        _breakOff = true;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await gateway.Client.GetAsync(Path + "a")).StatusCode);
        Assert.Equal(0, Kept(gateway).Bytes);
        _breakOff = false;
        for (var i = 0; i < 2; i++) Assert.Equal(HttpStatusCode.OK, (await Get(gateway, "a")).StatusCode);
        Assert.Equal(Size, Kept(gateway).Bytes);
    }

    [Fact]
    public async Task Gateways_keep_each_its_own()
    {
        var (one, two) = (await Gateway(), await Gateway());
        var content = Add("a");
        for (var i = 0; i < 3; i++) await Get(one, "a");
        Assert.Equal(content, await (await Get(two, "a")).Content.ReadAsByteArrayAsync());
        Assert.Equal(0, Kept(two).Bytes);
    }

    Action<HttpResponse> _change = _ => { };
    Func<HttpContext, Task> _wait = _ => Task.CompletedTask;
    int? _refuse;
    string? _refuseTo;
    bool _breakOff;

    async Task Serve(HttpContext context)
    {
        var response = context.Response;
        var content = _files[context.Request.Path.Value![(Path.Length)..]];
        await _wait(context);
        if (_refuse is not null || (_refuseTo is not null && context.Request.Headers.Authorization == _refuseTo))
        {
            response.StatusCode = _refuse ?? StatusCodes.Status401Unauthorized;
            await response.WriteAsync("no");
            return;
        }

        _change(response);
        response.ContentType = "video/mp4";
        if (!context.Request.Path.Value!.EndsWith("not-tagged", StringComparison.Ordinal)) response.Headers.ETag = Tag(content);
        if (context.Request.Path.Value.EndsWith("varies", StringComparison.Ordinal)) response.Headers.Vary = "Accept";
        if (context.Request.Headers.IfNoneMatch == Tag(content))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        if (context.Request.Headers.Range.Count > 0)
        {
            response.StatusCode = StatusCodes.Status206PartialContent;
            await response.Body.WriteAsync(content.AsMemory(10, 10));
            return;
        }

        if (!context.Request.Path.Value.EndsWith("no-length", StringComparison.Ordinal)) response.ContentLength = content.Length;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await response.Body.WriteAsync(content.AsMemory(0, _breakOff ? 1000 : content.Length));
        if (_breakOff) context.Abort();
    }

    IEnumerable<(string Method, string? Tag)> Asked() => _media.Requests.Select(request => (request.Method, request.Headers.GetValueOrDefault("If-None-Match")));

    byte[] Add(string name, int size = Size) => _files[name] = RandomNumberGenerator.GetBytes(size);

    static string Tag(byte[] content) => $"\"{Convert.ToHexStringLower(SHA256.HashData(content))}\"";

    static KeptBodies Kept(TestGateway gateway) => gateway.Services.GetRequiredService<KeptBodies>();

    static (HttpStatusCode, long?, string?, int) Described(HttpResponseMessage response) =>
        (response.StatusCode, response.Content.Headers.ContentLength, response.Content.Headers.ContentType?.MediaType, response.Headers.GetValues("ETag").Count());

    static async Task<HttpResponseMessage> Get(TestGateway gateway, string name, Action<HttpRequestHeaders>? headers = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, Path + name);
        headers?.Invoke(request.Headers);
        return await gateway.Client.SendAsync(request);
    }

    async Task<TestGateway> Gateway(params (string, string)[] settings)
    {
        if (_media is null) _running.Add(_media = await Upstream.Start(Serve));
        var gateway = await TestGateway.Start([("gateway:clusters:client-api", _media.Address), ("gateway:clusters:media-repo", _media.Address), .. settings]);
        _running.Insert(0, gateway);
        return gateway;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var running in _running) await running.DisposeAsync();
    }
}
