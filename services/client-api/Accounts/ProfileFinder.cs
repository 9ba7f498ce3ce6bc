using System.Text.Json;
using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Accounts;

/// <summary>Profiles of this server's users, and of those of others, whose server is asked (Server-Server API, GET /query/profile).</summary>
sealed class ProfileFinder(ProfileStore store, FederationClient client, ServerSigningKey own)
{
    const int MaxBytes = 64 << 10;
    static readonly FederationRequest Small = new() { MaxBytes = MaxBytes, Timeout = TimeSpan.FromSeconds(10) };

    /// <summary>Null: there is no such user.</summary>
    /// <param name="field">Null: all.</param>
    /// <exception cref="FederationException">The user's server does not answer.</exception>
    public async Task<Dictionary<string, JsonElement>?> Find(UserId user, string? field, CancellationToken ct)
    {
        if (user.Server == own.ServerName)
            return (await store.Find(user, ct))?.ToDictionary(f => f.Field, f => JsonElement.Parse(f.Value));
        var query = $"user_id={Uri.EscapeDataString(user.ToString())}{(field is null ? "" : $"&field={Uri.EscapeDataString(field)}")}";
        try
        {
            return await client.Get<Dictionary<string, JsonElement>>(user.Server, $"/_matrix/federation/v1/query/profile?{query}", ct, Small);
        }
        catch (FederationException e) when (e.Status is 403 or 404)
        {
            return null;
        }
    }
}
