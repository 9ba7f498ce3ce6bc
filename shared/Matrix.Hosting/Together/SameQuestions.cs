using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Serilog.Context;

namespace Matrix.Hosting.Together;

/// <summary>
/// Answers many <see cref="SameQuestion"/>s at once. Each goes through the whole service as the HEAD request that it is, so that everything is decided where it is decided
/// for requests that come alone; only what passes below them, a connection and its framing, is shared.
/// </summary>
public sealed class SameQuestions(RequestDelegate next, Func<IDisposable> hold, TimeProvider time)
{
    // one that takes longer, such as a thumbnail that has to be made again, holds up no other, and is asked alone
    static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(500);

    /// <summary>Before everything else that answers requests.</summary>
    /// <param name="hold">What the questions read until it is disposed may be read together.</param>
    public static void Use(WebApplication app, Func<IDisposable> hold) =>
        app.Use(next => new SameQuestions(next, hold, app.Services.GetRequiredService<TimeProvider>()).Invoke);

    async Task Invoke(HttpContext context)
    {
        // as it was sent: the gateway routes by the path, which is the same then
        if (context.Features.Get<IHttpRequestFeature>()?.RawTarget != SameQuestion.Path || !HttpMethods.IsPost(context.Request.Method))
        {
            await next(context);
            return;
        }

        if (await Read(context) is not { Length: <= SameQuestion.Most } questions)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        var json = JsonSerializer.SerializeToUtf8Bytes(await Answer(context, questions), SameQuestionJson.Terse.StringArrayArray);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        await context.Response.Body.WriteAsync(json, context.RequestAborted);
    }

    static async Task<SameQuestion[]?> Read(HttpContext context)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(context.Request.Body, SameQuestionJson.Terse.SameQuestionArray, context.RequestAborted);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    async Task<string[]?[]> Answer(HttpContext context, SameQuestion[] questions)
    {
        using var patience = new CancellationTokenSource(s_patience, time);
        var answers = new Task<string[]?>[questions.Length];
        using (hold())
        {
            for (var i = 0; i < questions.Length; i++) answers[i] = Answer(questions[i], context, patience.Token);
        }

        return await Task.WhenAll(answers);
    }

    async Task<string[]?> Answer(SameQuestion question, HttpContext together, CancellationToken patience)
    {
        using var scope = LogContext.PushProperty("RequestId", question.Id);
        try
        {
            var alone = Request(question, together, patience);
            await next(alone);
            return alone.Response.StatusCode == StatusCodes.Status304NotModified ? Headers(alone.Response) : null;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return null; // whoever asks alone is told
        }
    }

    static DefaultHttpContext Request(SameQuestion question, HttpContext together, CancellationToken patience)
    {
        var query = question.Target.IndexOf('?', StringComparison.Ordinal);
        var context = new DefaultHttpContext { RequestServices = together.RequestServices, TraceIdentifier = question.Id, RequestAborted = patience };
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = question.Target;
        var request = context.Request;
        (request.Method, request.Protocol) = (HttpMethods.Head, together.Request.Protocol);
        (request.Scheme, request.Host) = (together.Request.Scheme, together.Request.Host);
        request.Path = new PathString(query < 0 ? question.Target : question.Target[..query]);
        request.QueryString = new QueryString(query < 0 ? null : question.Target[query..]);
        request.Headers.IfNoneMatch = question.Tag;
        request.Headers.Authorization = question.Authorization;
        if (IPAddress.TryParse(question.Address, out var address)) context.Connection.RemoteIpAddress = address;
        return context;
    }

    static string[] Headers(HttpResponse response)
    {
        var headers = new List<string>(response.Headers.Count * 2);
        foreach (var (name, values) in response.Headers)
        {
            headers.Add(name);
            headers.Add(values.ToString());
        }

        return [.. headers];
    }
}
