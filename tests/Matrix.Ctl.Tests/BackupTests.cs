using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Matrix.Ctl.Doctor;
using Matrix.LocalStack;

namespace Matrix.Ctl.Tests;

/// <summary>A server is looked at, saved while it runs, and put back elsewhere, by the command line.</summary>
public sealed class BackupTests : IAsyncDisposable
{
    readonly string root = Directory.CreateTempSubdirectory("matrix-backup-").FullName;
    readonly int port = FreePort.Find();
    readonly HttpClient http;

    public BackupTests()
    {
        File.SetUnixFileMode(root, File.GetUnixFileMode(root) | UnixFileMode.OtherExecute | UnixFileMode.GroupExecute);
        http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
    }

    string First => Path.Combine(root, "first");
    string Second => Path.Combine(root, "second");
    string Saved => Path.Combine(root, "saved");

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        foreach (var folder in new[] { First, Second })
        {
            await Tool.Matrixctl("down", "--data", folder);
            await PrivateStack.Remove(folder, default);
        }
        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public async Task A_restored_server_has_what_was_saved_and_makes_clients_begin_afresh_that_saw_more()
    {
        await Up(First);
        var doctor = await Tool.Matrixctl("doctor", "--data", First, "--inside", "--json");
        Assert.True(doctor.ExitCode == 0, doctor.Output);
        var findings = JsonSerializer.Deserialize(doctor.Output, FindingJson.Default.IReadOnlyListFinding)!;
        Assert.Superset(new HashSet<string> { "clients", "signing key", "clock", "Postgres", "schema", "disk" }, findings.Select(finding => finding.Check).ToHashSet());
        var ill = await Tool.Matrixctl(new Dictionary<string, string>
        {
            ["MATRIX__media_stores"] = "s3", ["MATRIX__media_s3__bucket"] = "media", ["MATRIX__media_s3__endpoint"] = "http://127.0.0.1:1", ["MATRIX__media_s3__access_key_id"] = "nobody",
            ["MATRIX__media_s3__secret_access_key"] = "nothing",
        }, "doctor", "--data", First, "--inside", "--json");
        Assert.NotEqual(0, ill.ExitCode);
        Assert.Equal(["S3"], JsonSerializer.Deserialize(ill.Output, FindingJson.Default.IReadOnlyListFinding)!.Where(finding => finding.Verdict == Verdict.Bad).Select(finding => finding.Check));

        var token = (await Ask(HttpMethod.Post, "register", null, new { username = "alice", password = "a long password", auth = new { type = "m.login.dummy" } }))
            .GetProperty("access_token").GetString()!;
        var room = (await Ask(HttpMethod.Post, "createRoom", token, new { name = "kept" })).GetProperty("room_id").GetString()!;
        await Ask(HttpMethod.Put, $"rooms/{room}/send/m.room.message/1", token, new { msgtype = "m.text", body = "saved" });
        var early = (await Ask(HttpMethod.Get, "sync", token)).GetProperty("next_batch").GetString();

        using var picture = new ByteArrayContent([1, 2, 3]);
        var media = (await Send(HttpMethod.Post, "/_matrix/media/v3/upload", token, picture)).GetProperty("content_uri").GetString()!["mxc://".Length..];
        var backup = await Tool.Matrixctl("backup", "--data", First, "--to", Saved);
        Assert.True(backup.ExitCode == 0, backup.Output);
        Assert.DoesNotContain("bucket", backup.Output, StringComparison.Ordinal);
        Assert.Contains("1 contents copied", backup.Output.ReplaceLineEndings(" "), StringComparison.Ordinal);
        await Ask(HttpMethod.Put, $"rooms/{room}/send/m.room.message/2", token, new { msgtype = "m.text", body = "lost" });
        var late = (await Ask(HttpMethod.Get, "sync", token)).GetProperty("next_batch").GetString();
        Assert.Equal(0, (await Tool.Matrixctl("down", "--data", First)).ExitCode);

        var restore = await Tool.Matrixctl("restore", "--from", Saved, "--data", Second);
        Assert.True(restore.ExitCode == 0, restore.Output);
        Assert.Equal(1, (await Tool.Matrixctl("restore", "--from", Saved, "--data", Second)).ExitCode);
        await Up(Second);
        await Ask(HttpMethod.Put, $"rooms/{room}/send/m.room.message/3", token, new { msgtype = "m.text", body = "after" });

        // who has seen nothing that is lost goes on; who has is told everything anew
        Assert.Equal(["after"], Bodies(await Ask(HttpMethod.Get, $"sync?since={early}", token), room));
        var afresh = await Ask(HttpMethod.Get, $"sync?since={late}", token);
        Assert.Equal(["saved", "after"], Bodies(afresh, room));
        Assert.Contains(afresh.GetProperty("rooms").GetProperty("join").GetProperty(room).GetProperty("timeline").GetProperty("events").EnumerateArray(),
            e => e.GetProperty("type").GetString() == "m.room.create");
        http.DefaultRequestHeaders.Authorization = new("Bearer", token);
        Assert.Equal([1, 2, 3], await http.GetByteArrayAsync(new Uri($"/_matrix/client/v1/media/download/{media}", UriKind.Relative)));
    }

    static List<string> Bodies(JsonElement sync, string room) =>
        [.. sync.GetProperty("rooms").GetProperty("join").GetProperty(room).GetProperty("timeline").GetProperty("events").EnumerateArray()
            .Where(e => e.GetProperty("type").GetString() == "m.room.message").Select(e => e.GetProperty("content").GetProperty("body").GetString()!)];

    async Task Up(string folder)
    {
        var up = await Tool.Matrixctl("up", "--detach", "--data", folder, "--port", $"{port}", "--server-name", "saved.example", "--all-in-one", "--open-registration");
        Assert.True(up.ExitCode == 0, up.Output);
    }

    async Task<JsonElement> Ask(HttpMethod method, string path, string? token, object? body = null)
    {
        using var content = body is null ? null : JsonContent.Create(body);
        return await Send(method, "/_matrix/client/v3/" + path, token, content);
    }

    async Task<JsonElement> Send(HttpMethod method, string path, string? token, HttpContent? content)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        using var response = await http.SendAsync(request);
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{method} {path}: {await response.Content.ReadAsStringAsync()}");
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }
}
