using System.Globalization;
using Matrix.Protocol;
using Matrix.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Matrix.Http;

/// <summary>
/// The one place where a refusal becomes <c>{"errcode", "error"}</c>. An exception nobody planned is logged and becomes
/// 500 M_UNKNOWN without its text; while Postgres is away it is 503, and one log line for many requests; a request that the client has dropped ends silently.
/// </summary>
sealed partial class ErrorHandler(RequestDelegate next, DatabaseOutage outage, ILogger<ErrorHandler> log)
{
    public async Task Invoke(HttpContext context)
    {
        try
        {
            await next(context);
            if (!context.Response.HasStarted && context.Response is { ContentLength: null, ContentType: null }) await AnswerUnmatched(context);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            await Answer(context, e);
        }
    }

    static Task AnswerUnmatched(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => ErrorBody.Write(context, MatrixException.Unrecognized()),
        StatusCodes.Status405MethodNotAllowed => ErrorBody.Write(context, MatrixException.Unrecognized("Method not allowed.", 405)),
        _ => Task.CompletedTask,
    };

    Task Answer(HttpContext context, Exception exception)
    {
        var allow = context.Response.Headers.Allow;
        var error = exception switch
        {
            MatrixException matrix => matrix,
            _ when DatabaseOutage.IsOne(exception) => Unavailable(exception),
            IMatrixError known => new MatrixException(known.Status, known.Errcode, known.Message),
            BadHttpRequestException bad => BindingError.Explain(bad),
            // JSON can say NUL in a string or a path, and Postgres stores none
            PostgresException { SqlState: PostgresErrorCodes.CharacterNotInRepertoire or PostgresErrorCodes.UntranslatableCharacter } =>
                MatrixException.InvalidParam("NUL is not allowed."),
            _ => null,
        };
        if (error is null)
        {
            Failed(exception, context.Request.Method, context.GetEndpoint()?.DisplayName);
            error = MatrixException.Unknown("Internal server error.");
        }

        context.Response.Headers.Allow = allow;
        if (error.RetryAfter is { } wait)
            context.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        return ErrorBody.Write(context, error);
    }

    MatrixException Unavailable(Exception exception)
    {
        outage.Failed(exception);
        return MatrixException.Unavailable();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Endpoint} failed")]
    partial void Failed(Exception exception, string method, string? endpoint);
}
