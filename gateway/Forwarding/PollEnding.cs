using Matrix.Gateway.Routing;
using Matrix.Hosting;
using Matrix.Hosting.Health;

namespace Matrix.Gateway.Forwarding;

/// <summary>
/// A service ends its long polls when it stops. When the gateway is the one to stop, it asks a poll that is under way once more, to be answered at once
/// with what there is: the client gets an answer as any other, and comes back over another connection, to another gateway.
/// </summary>
sealed class PollEnding : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    readonly HttpContext _context;
    readonly CancellationToken _client;
    CancellationTokenSource? _forwarding;
    CancellationTokenRegistration _closing;
    bool _isAsked;

    PollEnding(HttpContext context) => (_context, _client) = (context, context.RequestAborted);

    public static bool IsPoll(HttpContext context) =>
        context.GetReverseProxyFeature().Route.Config.Metadata?[nameof(GatewayRoute.IsPoll)] == bool.TrueString;

    public static PollEnding Watch(HttpContext context, Shutdown shutdown)
    {
        var ending = new PollEnding(context);
        if (!IsPoll(context)) return ending;
        ending._forwarding = CancellationTokenSource.CreateLinkedTokenSource(ending._client);
        context.RequestAborted = ending._forwarding.Token;
        ending._closing = shutdown.Closing.Register(ending._forwarding.Cancel);
        return ending;
    }

    /// <summary>True when the last attempt was broken off because the gateway stops, and the request is prepared to be asked again.</summary>
    public bool AsksAgain()
    {
        if (_isAsked || _forwarding is not { IsCancellationRequested: true } || _client.IsCancellationRequested || _context.Response.HasStarted) return false;
        _isAsked = true;
        _forwarding.Dispose();
        _forwarding = CancellationTokenSource.CreateLinkedTokenSource(_client);
        _forwarding.CancelAfter(Patience);
        _context.RequestAborted = _forwarding.Token;
        AnswerNow.Ask(_context);
        Attempt.Reset(_context);
        return true;
    }

    public void Dispose()
    {
        _closing.Dispose();
        _forwarding?.Dispose();
        _context.RequestAborted = _client;
    }
}
