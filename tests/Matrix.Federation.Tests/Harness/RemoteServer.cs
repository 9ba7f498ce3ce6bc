using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Matrix.Hosting;
using Matrix.LocalStack;
using Matrix.Protocol;
using Matrix.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Matrix.Federation.Tests.Harness;

/// <summary>
/// Another homeserver, as good or bad as a test makes it: it has a name, a key and a certificate, publishes its key, answers what it is told to
/// answer (404 M_UNRECOGNIZED where it is told nothing), remembers what it was asked, and sends signed requests and events.
/// </summary>
public sealed class RemoteServer : IAsyncDisposable
{
    static int s_keys;

    readonly ConcurrentQueue<RemoteRequest> _requests = new();
    readonly List<(HttpMethod Method, string Prefix, Func<RemoteRequest, HttpContext, Task<object?>> Answer)> _answers = [];
    readonly SemaphoreSlim _arrived = new(0);
    readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(60) };
    WebApplication _app = null!;

    RemoteServer(ServerName name) => Name = name;

    public ServerName Name { get; }

    /// <summary>What it signs with; a test may change it, and then it publishes the new one.</summary>
    public SigningKey Key { get; set; } = SigningKey.Generate($"r{Interlocked.Increment(ref s_keys)}");

    /// <summary>Keys that it says it used before, with when they expired.</summary>
    public Dictionary<KeyId, (VerifyKey Key, long ExpiredTs)> OldKeys { get; } = [];

    public TimeSpan KeysValidFor { get; set; } = TimeSpan.FromDays(1);

    /// <summary>All that it was asked, oldest first.</summary>
    public IReadOnlyList<RemoteRequest> Requests => [.. _requests];

    /// <param name="certificate">Null takes a good one of this authority.</param>
    public static async Task<RemoteServer> Start(CertificateAuthority authority, string host = "localhost", X509Certificate2? certificate = null)
    {
        var port = FreePort.Find();
        var server = new RemoteServer(ServerName.Parse(string.Create(CultureInfo.InvariantCulture, $"{host}:{port}")));
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = 100 << 20;
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.UseHttps(certificate ?? authority.Issue("localhost", "127.0.0.1")));
        });
        server._app = builder.Build();
        server._app.Run(server.Answer);
        await server._app.StartAsync();
        server.On(HttpMethod.Get, "/_matrix/key/v2/server", _ => server.KeyList());
        return server;
    }

    public UserId User(string localpart) => UserId.Create(localpart, Name);

    /// <summary>
    /// From now on it answers requests of this method whose path begins so. What the function returns is sent as JSON; bytes as they are;
    /// a <see cref="RemoteAnswer"/> with its status. The newest answer for a path counts.
    /// </summary>
    public void On(HttpMethod method, string pathPrefix, Func<RemoteRequest, object?> answer) =>
        On(method, pathPrefix, (request, _) => Task.FromResult(answer(request)));

    /// <summary>The same for answers that take their time, or write the response themselves and return null.</summary>
    public void On(HttpMethod method, string pathPrefix, Func<RemoteRequest, HttpContext, Task<object?>> answer)
    {
        lock (_answers)
            _answers.Insert(0, (method, pathPrefix, answer));
    }

    /// <summary>Waits for a request, which may have come already; fails after a minute.</summary>
    public async Task<RemoteRequest> Asked(Func<RemoteRequest, bool> wanted)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            if (_requests.FirstOrDefault(wanted) is { } found)
                return found;
            try
            {
                await _arrived.WaitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"It was never asked that. It was asked:\n{string.Join('\n', _requests.Select(request => $"{request.Method} {request.Target}"))}");
            }
        }
    }

    /// <summary>A request to one of our servers, signed by this one.</summary>
    /// <param name="body">A string or bytes are sent as they are, anything else as JSON.</param>
    /// <param name="spoil">Changes the signature before it goes out.</param>
    /// <param name="ct">When it goes away; null: when the test ends.</param>
    public Task<Reply> Send(MatrixServer to, HttpMethod method, string pathAndQuery, object? body = null, Func<XMatrix, XMatrix>? spoil = null,
        CancellationToken? ct = null) =>
        Send(to.BaseUrl, ServerName.Parse(to.ServerName), method, pathAndQuery, body, spoil, ct);

    /// <inheritdoc cref="Send(MatrixServer, HttpMethod, string, object?, Func{XMatrix, XMatrix}?, CancellationToken?)"/>
    public async Task<Reply> Send(Uri address, ServerName to, HttpMethod method, string pathAndQuery, object? body = null, Func<XMatrix, XMatrix>? spoil = null,
        CancellationToken? ct = null)
    {
        byte[]? json = body switch
        {
            null => null,
            byte[] bytes => bytes,
            string text => System.Text.Encoding.UTF8.GetBytes(text),
            _ => JsonSerializer.SerializeToUtf8Bytes(body),
        };
        var signature = XMatrix.Sign(Name, Key, to, method.Method, pathAndQuery, json);
        return await Send(address, method, pathAndQuery, json, (spoil?.Invoke(signature) ?? signature).ToString(), ct);
    }

    public Task<Reply> Get(MatrixServer from, string pathAndQuery) => Send(from, HttpMethod.Get, pathAndQuery);

    public Task<Reply> Put(MatrixServer to, string pathAndQuery, object body) => Send(to, HttpMethod.Put, pathAndQuery, body);

    public Task<Reply> Post(MatrixServer to, string pathAndQuery, object body) => Send(to, HttpMethod.Post, pathAndQuery, body);

    /// <summary>A request with any Authorization header, or none.</summary>
    public async Task<Reply> Send(Uri address, HttpMethod method, string pathAndQuery, byte[]? json, string? authorization, CancellationToken? ct = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(address.ToString().TrimEnd('/') + pathAndQuery, AsWritten));
        if (json != null)
            request.Content = new ByteArrayContent(json);
        if (authorization != null)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        using var response = await _http.SendAsync(request, ct ?? TestContext.Current.CancellationToken);
        var bytes = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        return new Reply(response.StatusCode, response.Headers, response.Content.Headers, bytes, $"{method} {pathAndQuery}");
    }

    /// <summary>An event that this server made and signed.</summary>
    public Pdu Build(RoomVersionRules rules, PduBuilder builder) => builder.Build(rules, Name, Key);

    /// <summary>The list of its keys, signed.</summary>
    public byte[] KeyList()
    {
        var list = new
        {
            server_name = Name.ToString(),
            verify_keys = new Dictionary<string, object> { [Key.KeyId.ToString()] = new { key = Key.VerifyKey.ToString() } },
            old_verify_keys = OldKeys.ToDictionary(old => old.Key.ToString(), old => new { key = old.Value.Key.ToString(), expired_ts = old.Value.ExpiredTs }),
            valid_until_ts = (TimeProvider.System.GetUtcNow() + KeysValidFor).ToUnixTimeMilliseconds(),
        };
        return JsonSignatures.Sign(JsonSerializer.SerializeToUtf8Bytes(list), Name, Key);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
        _http.Dispose();
        _arrived.Dispose();
    }

    static readonly UriCreationOptions AsWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    async Task Answer(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var signature = XMatrix.TryParse(context.Request.Headers.Authorization.ToString(), out var parsed) ? parsed : null;
        var request = new RemoteRequest(new HttpMethod(context.Request.Method), RequestTarget.PathAndQuery(context) ?? "", context.Request.Host.ToString(), signature, body.ToArray());
        _requests.Enqueue(request);
        _arrived.Release();
        var answer = Find(request) is { } found ? await found(request, context) : RemoteAnswer.Error(HttpStatusCode.NotFound, "M_UNRECOGNIZED");
        if (answer is null || context.Response.HasStarted)
            return;
        if (answer is HalfAnswer half)
        {
            await context.Response.Body.WriteAsync(half.Whole.AsMemory(0, half.Whole.Length / 2));
            await context.Response.Body.FlushAsync();
            half.Then();
            context.Abort();
            return;
        }
        var (status, value) = answer is RemoteAnswer explicitly ? (explicitly.Status, explicitly.Body) : (HttpStatusCode.OK, answer);
        context.Response.StatusCode = (int)status;
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(value as byte[] ?? JsonSerializer.SerializeToUtf8Bytes(value), context.RequestAborted);
    }

    Func<RemoteRequest, HttpContext, Task<object?>>? Find(RemoteRequest request)
    {
        lock (_answers)
            return _answers.Find(answer => answer.Method == request.Method && request.Path.StartsWith(answer.Prefix, StringComparison.Ordinal)).Answer;
    }
}
