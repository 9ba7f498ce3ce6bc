using System.Text.Json.Serialization;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Accounts;

/// <summary>
/// User-interactive authentication (Client-Server API, section of that name): a request is repeated with more and more proof until one of
/// the flows is complete. What was proven is in the database, so that any replica goes on.
/// </summary>
sealed class UserInteractive(UiaSessionStore sessions, RegistrationStore registration, Passwords passwords, RateLimits limits)
{
    /// <summary>Checks the proof that the request brings.</summary>
    /// <param name="operation">What is to be allowed, and to whom: proof for one thing is none for another.</param>
    /// <param name="user">Whose password <c>m.login.password</c> asks for.</param>
    public async Task<UiaOutcome> Authorize(string operation, AuthData? auth, UiaFlow[] flows, UserId? user, CancellationToken ct)
    {
        // a client that knows the flows may send its first proof at once
        var session = auth?.Session is { } id
            ? await sessions.Find(id, operation, ct) ?? throw MatrixException.Forbidden("There is no such authentication session.")
            : await sessions.Insert(operation, ct);
        UiaRefusal? refusal = null;
        if (auth?.Type is { } stage && !session.Completed.Contains(stage))
        {
            refusal = IsNext(stage, session, flows)
                ? await Prove(stage, auth, session, user, ct)
                : new UiaRefusal("M_UNRECOGNIZED", $"{stage} is not what comes next.");
            if (refusal is null) session = await sessions.Complete(session.SessionId, stage, ct) ?? session;
        }

        return flows.Any(flow => flow.Stages.All(session.Completed.Contains))
            ? new UiaOutcome(session, null)
            : new UiaOutcome(session, new UiaChallenge(flows, [], session.SessionId, session.Completed, refusal?.Errcode, refusal?.Error));
    }

    async Task<UiaRefusal?> Prove(string stage, AuthData auth, UiaSession session, UserId? user, CancellationToken ct) => stage switch
    {
        UiaStages.Dummy => null,
        UiaStages.RegistrationToken => await ProveToken(auth, session, ct),
        UiaStages.Password => await ProvePassword(auth, user, ct),
        _ => new UiaRefusal("M_UNRECOGNIZED", $"{stage} is not known."),
    };

    async Task<UiaRefusal?> ProveToken(AuthData auth, UiaSession session, CancellationToken ct)
    {
        if (auth.Token is not { } token) return new UiaRefusal("M_MISSING_PARAM", "Missing parameter: token");
        return await registration.HoldToken(token, session.SessionId, ct)
            ? null
            : new UiaRefusal("M_UNAUTHORIZED", "This registration token is not valid.");
    }

    async Task<UiaRefusal?> ProvePassword(AuthData auth, UserId? user, CancellationToken ct)
    {
        if (auth.Password is not { } password) return new UiaRefusal("M_MISSING_PARAM", "Missing parameter: password");
        var name = auth.Identifier is { Type: "m.id.user", User: { } identified } ? identified : auth.User;
        await limits.CheckOnly("rc_login.failed_attempts", user.ToString()!, ct);
        var account = name is null ? null : await passwords.Check(name, password, ct);
        if (account is not null && account.UserId == user) return null;
        await limits.Check("rc_login.failed_attempts", user.ToString()!, ct);
        return new UiaRefusal("M_FORBIDDEN", "Wrong user name or password.");
    }

    static bool IsNext(string stage, UiaSession session, UiaFlow[] flows) => flows.Any(flow =>
        flow.Stages.Contains(stage) && flow.Stages.TakeWhile(earlier => earlier != stage).All(session.Completed.Contains));
}

static class UiaStages
{
    public const string Dummy = "m.login.dummy";
    public const string Password = "m.login.password";
    public const string Token = "m.login.token";
    public const string RegistrationToken = "m.login.registration_token";
}

/// <summary>The <c>auth</c> of a request; which members there are depends on the stage.</summary>
sealed record AuthData(string? Type, string? Session, LoginIdentifier? Identifier, string? User, string? Password, string? Token);

/// <summary>Stages to be completed in this order.</summary>
sealed record UiaFlow(params string[] Stages);

/// <summary>The body of the 401 that asks for (more) proof.</summary>
sealed record UiaChallenge(
    UiaFlow[] Flows,
    [property: JsonPropertyName("params")] Dictionary<string, object> Parameters,
    string Session,
    string[] Completed,
    string? Errcode,
    string? Error);

/// <summary>Either allowed, or what the client has to do first.</summary>
sealed record UiaOutcome(UiaSession Session, UiaChallenge? Challenge)
{
    public IResult Refusal => Results.Json(Challenge, MatrixJson.Options, statusCode: StatusCodes.Status401Unauthorized);
}

sealed record UiaRefusal(string Errcode, string Error);
