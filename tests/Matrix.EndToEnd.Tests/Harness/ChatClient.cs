using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Matrix.EndToEnd.Tests;

/// <summary>A message as a client shows it; <c>At</c> is when the client's own code saw it, Unix milliseconds.</summary>
public sealed record Message(string EventId, string Sender, string Body, long At, bool Encrypted = false);

/// <summary>The messages of a room: all that the client shows, and those that its syncs delivered, in that order.</summary>
public sealed record Timeline(IReadOnlyList<Message> Messages, IReadOnlyList<Message> Received);

/// <summary>
/// An unmodified Matrix client library in a process of its own, driven by lines of JSON over its standard input and output
/// (Clients/js-sdk/client.mjs, Clients/nio/client.py). Everything that it does goes through the library's own methods.
/// </summary>
public sealed class ChatClient : IAsyncDisposable
{
    /// <summary>Milliseconds that a test waits for something that should come at once.</summary>
    public const int Patience = 20_000;

    static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);
    readonly Process _process;
    readonly ConcurrentDictionary<int, TaskCompletionSource<JsonElement>> _waiting = new();
    readonly List<string> _errors = [];
    int _requests;

    ChatClient(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Receive(line.Data);
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string UserId { get; private set; } = "";

    public string AccessToken { get; private set; } = "";

    public static ChatClient Start(string library) => new(Process.Start(Command(library))!);

    /// <summary>Registers as a person would in the client: the server's flows, then m.login.dummy; then syncs.</summary>
    /// <param name="encrypted">With end-to-end encryption.</param>
    public static Task<ChatClient> Register(string library, Uri server, string username, string password, bool encrypted = false) =>
        LogIn("register", library, server, username, password, encrypted);

    /// <param name="recoveryKey">What the user wrote down when encryption was set up.</param>
    public static Task<ChatClient> Login(
        string library, Uri server, string username, string password, bool encrypted = false, string? recoveryKey = null) =>
        LogIn("login", library, server, username, password, encrypted, recoveryKey);

    public async Task<string> CreateRoom(object options) => (await Call("createRoom", new { options })).GetProperty("roomId").GetString()!;

    public Task Invite(string roomId, string userId) => Call("invite", new { roomId, userId });

    public Task Join(string roomId) => Call("join", new { roomId });

    public Task Leave(string roomId) => Call("leave", new { roomId });

    /// <returns>The event's id, once the server has acknowledged it.</returns>
    public async Task<string> Send(string roomId, string body) =>
        (await Call("send", new { roomId, body })).GetProperty("eventId").GetString()!;

    /// <summary>Sends with one transaction id, again and again as a client does when the server cannot be reached, until it is acknowledged.</summary>
    public async Task<string> SendUntilAcknowledged(string roomId, string body) =>
        (await Call("send", new { roomId, body, retryFor = 60_000 })).GetProperty("eventId").GetString()!;

    /// <summary>Waits until the client shows the message.</summary>
    public async Task<Message> WaitMessage(string roomId, string body, int timeout = Patience) =>
        (await Call("waitMessage", new { roomId, body, timeout })).Deserialize<Message>(s_json)!;

    public Task WaitMembership(string roomId, string userId, string membership) =>
        Call("waitMembership", new { roomId, userId, membership, timeout = Patience });

    public async Task<Timeline> ReadTimeline(string roomId) => (await Call("timeline", new { roomId })).Deserialize<Timeline>(s_json)!;

    /// <summary>Pages back until the room's beginning.</summary>
    /// <returns>How many pages it took.</returns>
    public async Task<int> PaginateBack(string roomId, int limit) => (await Call("paginateBack", new { roomId, limit })).GetProperty("pages").GetInt32();

    public Task SetName(string name) => Call("setName", new { name });

    public async Task<JsonElement> Call(string method, object? parameters = null)
    {
        var id = Interlocked.Increment(ref _requests);
        var answer = _waiting[id] = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        var line = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = WithoutNulls(parameters) }.ToJsonString();
        lock (_waiting)
        {
            _process.StandardInput.WriteLine(line);
            _process.StandardInput.Flush();
        }
        var reply = await answer.Task.WaitAsync(TimeSpan.FromSeconds(90), TestContext.Current.CancellationToken);
        if (reply.TryGetProperty("error", out var error))
        {
            throw new InvalidOperationException($"{method} of {UserId}: {error.GetString()}");
        }
        return reply.GetProperty("result");
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        try
        {
            await _process.WaitForExitAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(2), CancellationToken.None);
        }
        catch (TimeoutException)
        {
            _process.Kill();
        }
        _process.Dispose();
    }

    static async Task<ChatClient> LogIn(
        string method, string library, Uri server, string username, string password, bool encrypted, string? recoveryKey = null)
    {
        var client = Start(library);
        try
        {
            var session = await client.Call(method, new { baseUrl = server.ToString().TrimEnd('/'), username, password, encrypted = encrypted ? true : (bool?)null, recoveryKey });
            client.UserId = session.GetProperty("userId").GetString()!;
            client.AccessToken = session.GetProperty("accessToken").GetString()!;
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    static ProcessStartInfo Command(string library)
    {
        var start = library switch
        {
            ClientLibrary.JsSdk => new ProcessStartInfo("node", [Path.Combine(ClientLibrary.JsSdkFolder.Value, "client.mjs")]),
            ClientLibrary.Nio => new ProcessStartInfo("/usr/bin/python3", ["-u", Path.Combine(AppContext.BaseDirectory, "Clients", "nio", "client.py")]),
            _ => throw new ArgumentOutOfRangeException(nameof(library), library, "no such client"),
        };
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        return start;
    }

    static JsonObject WithoutNulls(object? parameters)
    {
        var node = JsonSerializer.SerializeToNode(parameters ?? new { })!.AsObject();
        foreach (var name in node.Where(member => member.Value == null).Select(member => member.Key).ToList())
        {
            node.Remove(name);
        }
        return node;
    }

    void Receive(string? line)
    {
        if (line == null)
        {
            foreach (var waiting in _waiting.Values)
            {
                waiting.TrySetException(new InvalidOperationException($"The client of {UserId} ended: {Errors()}"));
            }
        }
        else if (line.StartsWith('{'))
        {
            var reply = JsonDocument.Parse(line).RootElement;
            if (_waiting.TryRemove(reply.GetProperty("id").GetInt32(), out var waiting))
            {
                waiting.SetResult(reply);
            }
        }
    }

    void Note(string? line)
    {
        lock (_errors)
        {
            _errors.Add(line ?? "");
        }
    }

    string Errors()
    {
        lock (_errors)
        {
            return string.Join('\n', _errors.TakeLast(20));
        }
    }
}
