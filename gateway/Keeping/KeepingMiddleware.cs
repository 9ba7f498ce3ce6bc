namespace Matrix.Gateway.Keeping;

/// <summary>Answers with a kept body what the service, asked, would answer with the same one: its bytes then do not travel from there to here again.</summary>
sealed class KeepingMiddleware(RequestDelegate next, KeptBodies bodies, KeptQuestions questions, GatewayMetrics metrics)
{
    public async Task Invoke(HttpContext context)
    {
        using var answer = KeptAnswer.Begin(context, bodies);
        if (answer is null || !await answer.Holds(context, questions)) await next(context);
        if (answer?.Body is not { } body) return;
        metrics.KeptSent(body.Length);
        await body.Send(context);
    }
}
