using Yarp.ReverseProxy.Forwarder;

namespace Matrix.Gateway.Forwarding;

/// <summary>How the last attempt to forward a request ended.</summary>
static class Attempt
{
    static readonly object SentAway = new(), TooMuch = new();

    /// <summary>The replica is stopping and refused the request unread.</summary>
    public static bool WasSentAway(HttpContext context) => context.Items.ContainsKey(SentAway);

    public static void NoteSentAway(HttpContext context) => context.Items[SentAway] = true;

    /// <summary>The replica refused the request because it has too much to do.</summary>
    public static bool WasTooMuch(HttpContext context) => context.Items.ContainsKey(TooMuch);

    public static void NoteTooMuch(HttpContext context) => context.Items[TooMuch] = true;

    /// <summary>No connection could be made, so not a byte was sent.</summary>
    public static bool NeverReached(HttpContext context) => context.GetForwarderErrorFeature()?.Exception switch
    {
        HttpRequestException e => e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError,
        TaskCanceledException { InnerException: TimeoutException } => true, // the time to connect ran out
        _ => false,
    };

    /// <summary>May the same request go out once more?</summary>
    public static bool MayBeRepeated(HttpContext context)
    {
        if (context.Response.HasStarted || context.RequestAborted.IsCancellationRequested) return false;
        if (NeverReached(context)) return true;
        if (WasSentAway(context)) return HeldBody.CanBeSentAgain(context);
        // the replica died over a request that changes nothing
        return context.GetForwarderErrorFeature() is { Error: ForwarderError.Request, Exception: HttpRequestException }
            && (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method));
    }

    /// <summary>Makes the response as if nothing had been tried.</summary>
    public static void Reset(HttpContext context)
    {
        context.Response.Clear();
        context.Response.Headers[Hosting.RequestIds.Header] = context.TraceIdentifier;
        context.Features.Set<IForwarderErrorFeature>(null);
        context.Items.Remove(SentAway);
        context.Items.Remove(TooMuch);
        HeldBody.Rewind(context);
    }
}
