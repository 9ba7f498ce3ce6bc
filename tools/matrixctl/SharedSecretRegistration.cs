using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.LocalStack;

namespace Matrix.Ctl;

/// <summary>
/// Registration by <c>/_synapse/admin/v1/register</c>: the server gives a nonce, and who knows the shared secret proves it by the
/// HMAC-SHA1 of nonce, user, password and "admin" or "notadmin", with zero bytes between.
/// </summary>
sealed class SharedSecretRegistration(HttpClient http, string secret)
{
    static readonly Uri Path = new("/_synapse/admin/v1/register", UriKind.Relative);

    /// <summary>Returns the new account's user id.</summary>
    public async Task<string> Register(string user, string password, bool isAdmin, CancellationToken ct)
    {
        try
        {
            var nonce = (await Read(await http.GetAsync(Path, ct), ct))["nonce"]!.GetValue<string>();
            var request = new JsonObject
            {
                ["nonce"] = nonce,
                ["username"] = user,
                ["password"] = password,
                ["admin"] = isAdmin,
                ["mac"] = Mac(nonce, user, password, isAdmin),
            };
            return (await Read(await http.PostAsJsonAsync(Path, request, ct), ct))["user_id"]!.GetValue<string>();
        }
        catch (HttpRequestException e)
        {
            throw new StackException($"{http.BaseAddress} does not answer: {e.Message}", e);
        }
    }

    public string Mac(string nonce, string user, string password, bool isAdmin)
    {
        var text = string.Join('\0', nonce, user, password, isAdmin ? "admin" : "notadmin");
#pragma warning disable CA5350 // the protocol says SHA-1; as a MAC it is not broken
        return Convert.ToHexStringLower(HMACSHA1.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(text)));
#pragma warning restore CA5350
    }

    static async Task<JsonNode> Read(HttpResponseMessage response, CancellationToken ct)
    {
        using (response)
        {
            var body = await response.Content.ReadAsStringAsync(ct);
            try
            {
                var json = JsonNode.Parse(body)!;
                return response.IsSuccessStatusCode ? json : throw new StackException($"The server refused: {json["errcode"]} {json["error"]}");
            }
            catch (JsonException)
            {
                throw new StackException($"The server answered {(int)response.StatusCode}, which is not an answer of this API.");
            }
        }
    }
}
