using Matrix.Hosting;

namespace Matrix.Gateway.Forwarding;

/// <summary>
/// A service ends its long polls when it stops; the gateway, when it is the one to stop, does not know which requests are polls. So it gives up GETs that
/// have no answer yet, a second after it began to drain: the client asks again, and the gateway need not linger for half a minute.
/// </summary>
sealed class PollEnding(RequestDelegate next, Shutdown shutdown, TimeProvider time)
{
    static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    public async Task Invoke(HttpContext context)
    {
        if (!HttpMethods.IsGet(context.Request.Method))
        {
            await next(context);
            return;
        }

        var client = context.RequestAborted;
        using var forwarding = CancellationTokenSource.CreateLinkedTokenSource(client);
        using var draining = shutdown.Draining.Register(() => _ = GiveUp(context, forwarding));
        context.RequestAborted = forwarding.Token;
        try
        {
            await next(context);
        }
        finally
        {
            context.RequestAborted = client;
        }
    }

    async Task GiveUp(HttpContext context, CancellationTokenSource forwarding)
    {
        var response = context.Response;
        try
        {
            await Task.Delay(Grace, time, forwarding.Token);
            if (!response.HasStarted) await forwarding.CancelAsync();
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // the request has ended meanwhile
        }
    }
}
