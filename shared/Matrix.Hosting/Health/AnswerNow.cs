using Microsoft.AspNetCore.Http;

namespace Matrix.Hosting.Health;

/// <summary>
/// How a gateway that is about to stop asks once more what waits for news: to be answered with what there is. A client that sends it gets an empty
/// answer at once, which it can have by a timeout of 0 too.
/// </summary>
public static class AnswerNow
{
    public const string Header = "X-Matrix-Answer-Now";

    public static bool IsAsked(HttpContext context) => context.Request.Headers.ContainsKey(Header);

    public static void Ask(HttpContext context) => context.Request.Headers[Header] = "1";
}
