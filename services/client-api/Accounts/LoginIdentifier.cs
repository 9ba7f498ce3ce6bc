namespace Matrix.ClientApi.Accounts;

/// <summary>Whom a password is for (Client-Server API, Identifier types). We know <c>m.id.user</c>.</summary>
/// <param name="User">A localpart or a whole user id.</param>
sealed record LoginIdentifier(string Type, string? User);
