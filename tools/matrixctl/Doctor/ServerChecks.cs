using System.Text.Json;

namespace Matrix.Ctl.Doctor;

/// <summary>Does it answer as clients and other servers ask it?</summary>
sealed class ServerChecks(HttpClient http, Uri url, string? serverName, TimeProvider time)
{
    public async Task<IReadOnlyList<Finding>> Run(CancellationToken ct) => [await Clients(ct), await Keys(ct)];

    async Task<Finding> Clients(CancellationToken ct)
    {
        const string check = "clients";
        try
        {
            using var answer = await Get("_matrix/client/versions", ct);
            var versions = answer.RootElement.GetProperty("versions");
            return Finding.Well(check, $"{url} speaks {versions[versions.GetArrayLength() - 1].GetString()}");
        }
        catch (Exception e) when (IsExpected(e))
        {
            return Finding.Bad(check, $"{url} does not answer: {e.Message}", "Is the gateway running, and is there a ready client-api? 'matrixctl status' or 'kubectl get pods' show it.");
        }
    }

    async Task<Finding> Keys(CancellationToken ct)
    {
        const string check = "signing key";
        try
        {
            using var answer = await Get("_matrix/key/v2/server", ct);
            var name = answer.RootElement.GetProperty("server_name").GetString();
            if (serverName is not null && name != serverName)
                return Finding.Bad(check, $"It calls itself {name}, not {serverName}", "server_name in its configuration is another; a server cannot change its name.");
            var validUntil = DateTimeOffset.FromUnixTimeMilliseconds(answer.RootElement.GetProperty("valid_until_ts").GetInt64());
            return validUntil > time.GetUtcNow()
                ? Finding.Well(check, $"{name} publishes {string.Join(", ", answer.RootElement.GetProperty("verify_keys").EnumerateObject().Select(key => key.Name))}")
                : Finding.Bad(check, $"The keys that it publishes ended at {validUntil:u}", "Its clock is wrong: see to time synchronisation (chrony, systemd-timesyncd).");
        }
        catch (Exception e) when (IsExpected(e))
        {
            return Finding.Bad(check, $"/_matrix/key/v2/server does not answer: {e.Message}", "Is there a ready federation-reader, and does it find signing_key_path?");
        }
    }

    async Task<JsonDocument> Get(string path, CancellationToken ct)
    {
        using var response = await http.GetAsync(new Uri(url, path), ct);
        response.EnsureSuccessStatusCode();
        return JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(ct));
    }

    internal static bool IsExpected(Exception e) =>
        e is HttpRequestException or JsonException or KeyNotFoundException or InvalidOperationException or TaskCanceledException or IndexOutOfRangeException;
}
