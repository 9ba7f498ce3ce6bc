using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Matrix.Hosting.Overload;

/// <summary>What a request is told that is not let in: 429, and when to come again, not all at the same moment.</summary>
public static class Refusal
{
    /// <summary>By it a gateway tells a service that has too much to do from one that a user has asked too often. Clients do not see it.</summary>
    public const string Header = "X-Matrix-Overloaded";

    public static Task Write(HttpContext context)
    {
#pragma warning disable CA5394 // spreads load, hides nothing
        var wait = Random.Shared.Next(1000, 4000);
#pragma warning restore CA5394
        context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
        context.Response.ContentType = "application/json";
        context.Response.Headers.RetryAfter = ((wait + 999) / 1000).ToString(CultureInfo.InvariantCulture);
        Cors.Apply(context.Response.Headers);
        return context.Response.WriteAsync(string.Create(CultureInfo.InvariantCulture,
            $$"""{"errcode":"M_LIMIT_EXCEEDED","error":"The server has more to do than it can. Try again in a moment.","retry_after_ms":{{wait}}}"""), context.RequestAborted);
    }
}
