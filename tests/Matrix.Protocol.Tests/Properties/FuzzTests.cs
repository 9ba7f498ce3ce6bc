using System.Text;

namespace Matrix.Protocol.Tests;

/// <summary>Random and mutated bytes: whatever comes in, only the library's own exceptions come out.</summary>
[Collection(Alone)]
public class FuzzTests
{
    /// <summary>What it counts of the process' memory must be its own.</summary>
    const string Alone = "not beside other tests";

    [CollectionDefinition(Alone, DisableParallelization = true)]
    public class NotBesideOthers;

    /// <summary>Ten thousand inputs by default; raise it for a long run.</summary>
    static readonly int Inputs = int.TryParse(Environment.GetEnvironmentVariable("MATRIX_TEST_FUZZ"), out var inputs) ? inputs : 10_000;

    static readonly string[] Snippets =
    [
        "{", "}", "[", "]", "\"", ",", ":", "\\u0000", "\\ud800", "1e999", "-0", "9007199254740993", "null", "true", "\"type\":", "\"content\":{",
        "\"m.room.create\"", "\"m.room.member\"", "\"membership\":\"join\"", "\"auth_events\":[[]]", "\"prev_events\":[\"$\"]", "\"users\":{\"x\":\"\"}",
        "\"@a:b\"", "\"third_party_invite\":{\"signed\":{\"mxid\":1}}", "\"hashes\":{\"sha256\":\"*\"}", "\"signatures\":{\"a\":{\"ed25519:1\":\"\"}}", "\0", "\ufeff",
    ];

    /// <summary>What one input of some kilobytes may allocate, and how much of it all may stay: the tables and the compiled code.</summary>
    const long MaxAllocated = 16 << 20;
    const long MaxKept = 32 << 20;

    /// <summary>Far above what any input takes, even where all other tests run beside it.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task No_bytes_make_an_exception_other_than_the_librarys_or_hold_it_up_or_fill_memory()
    {
        var seeds = RoomVersions.All.SelectMany(Seeds).ToArray();
        for (var number = 0; number < 200; number++)
            Try(number, seeds);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var done = 0;
        var run = Task.Run(() =>
        {
            for (; done < Inputs; Volatile.Write(ref done, done + 1))
            {
                var allocated = GC.GetAllocatedBytesForCurrentThread();
                Try(done, seeds);
                allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
                Assert.True(allocated < MaxAllocated, $"input {done} took {allocated} bytes");
            }
        }, TestContext.Current.CancellationToken);
        for (var last = -1; last < Volatile.Read(ref done) && !run.IsCompleted;)
        {
            last = Volatile.Read(ref done);
            await Task.WhenAny(run, Task.Delay(Patience, TestContext.Current.CancellationToken));
        }
        Assert.True(run.IsCompleted, $"input {done} held it up");
        await run;
        var kept = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(kept < MaxKept, $"{kept} bytes were kept");
    }

    static void Try(int number, (RoomVersionRules, byte[])[] seeds)
    {
        var random = new Random(number);
        var (rules, seed) = seeds[random.Next(seeds.Length)];
        var bytes = random.Next(20) == 0 ? RandomBytes(random) : Mutate(seed, random);
        try
        {
            Exercise(bytes, rules);
        }
        catch (ProtocolException)
        {
        }
        catch (Exception exception)
        {
            Assert.Fail($"input {number}, version {rules.Id}: {exception}\n{Encoding.UTF8.GetString(bytes)}");
        }
    }

    static byte[] RandomBytes(Random random)
    {
        var bytes = new byte[random.Next(200)];
        random.NextBytes(bytes);
        return bytes;
    }

    static void Exercise(byte[] bytes, RoomVersionRules rules)
    {
        Try(() => CanonicalJson.Canonicalize(bytes, JsonRules.Relaxed));
        Try(() => FilterDefinition.Parse(bytes));
        Try(() => PushRuleset.Parse(bytes));
        ParseIdentifiers(Encoding.UTF8.GetString(bytes, 0, Math.Min(bytes.Length, 60)));
        ParseIdentifiers(Encoding.Latin1.GetString(bytes, 0, Math.Min(bytes.Length, 300)));
        Try(() => JsonSignatures.Verify(bytes, TestRoom.Server, _ => TestRoom.Key.VerifyKey));
        var pdu = Pdu.Parse(bytes, rules);
        _ = pdu.HasValidContentHash;
        _ = pdu.Content;
        EventSignatures.Verify(pdu, pdu.Sender.Server, _ => TestRoom.Key.VerifyKey);
        var create = new TestRoom(rules).Create;
        AuthEvents.KeysFor(pdu);
        AuthEvents.KeysFor(pdu.Type, pdu.StateKey, pdu.Sender, pdu.Content, rules);
        EventAuth.Check(pdu, new AuthState([create, pdu]), rules, create);
        EventAuth.CheckAuthEvents(pdu, [pdu, create], _ => false);
        _ = PowerLevels.Read(pdu, pdu.Type == EventTypes.Create ? pdu : create).For(pdu.Sender);
        EventRelation.Read(pdu);
        JoinRules.Read(pdu);
        _ = HistoryVisibility.Read(pdu);
        RoomEventFilter.Default.Matches(pdu);
        _ = pdu.ReferenceHash;
        EventSignatures.RequiredSigners(pdu);
        ServerAcl.Read(pdu).Allows(pdu.Sender.Server);
        PushRules.Compile(PushRuleset.Default(TestRoom.Bob), TestRoom.Bob).Evaluate(new PushEvent(pdu), new(2, "b", PowerLevels.Read(pdu, create)));
        ClientEvent.Encode(pdu.Redact());
        System.Text.Json.JsonElement.Parse(ClientEvent.Encode(pdu));
    }

    static void ParseIdentifiers(string text)
    {
        foreach (var prefix in new[] { "", "@", "!", "$", "#", "@a:", "!a:[", "mxc://", "mxc://a/", "ed25519:" })
        {
            var whole = prefix + text;
            _ = UserId.TryParse(whole, out var user) ? (user.Server.IsIpLiteral, user.Server.Port, user.Localpart) : default;
            _ = RoomId.TryParse(whole, out var room) ? (room.Server, room.CreateEventId) : default;
            _ = EventId.TryParse(whole, out var id) ? id.Server : null;
            _ = RoomAlias.TryParse(whole, out var alias) ? alias.Server.Host : null;
            _ = ServerName.TryParse(whole, out var server) ? (server.Host, server.Port) : default;
            _ = MxcUri.TryParse(whole, out var media) ? (media.Server.Host, media.MediaId) : default;
            _ = KeyId.TryParse(whole, out var key) ? (key.Algorithm, key.Version) : default;
            _ = DeviceId.TryParse(whole, out var device) ? device.ToString() : null;
        }
        new Glob(text, ignoreCase: true).MatchesWords(text + text);
        UnpaddedBase64.Decode(text);
        VerifyKey.TryParse(text);
    }

    static void Try(Action action)
    {
        try
        {
            action();
        }
        catch (ProtocolException)
        {
        }
    }

    static IEnumerable<(RoomVersionRules, byte[])> Seeds(RoomVersionRules rules)
    {
        var room = new TestRoom(rules);
        yield return (rules, room.Create.Json.ToArray());
        yield return (rules, room.Event(EventTypes.Member, """{"membership":"invite","third_party_invite":{"signed":{"mxid":"@b:c","token":"t","signatures":{"x":{"ed25519:0":"AA"}}}}}""", stateKey: "@b:c").Json.ToArray());
        yield return (rules, room.Event(EventTypes.PowerLevels, """{"users":{"@a:b":100},"events":{"x":1},"ban":50,"notifications":{"room":20}}""", stateKey: "").Json.ToArray());
        yield return (rules, room.Event(EventTypes.Message, """{"body":"hi","m.relates_to":{"rel_type":"m.thread","event_id":"$a"},"m.mentions":{"user_ids":["@bob:example.org"]}}""").Json.ToArray());
        yield return (rules, Encoding.UTF8.GetBytes("""{"room":{"timeline":{"limit":5,"types":["m.*"]}},"override":[{"rule_id":"a","actions":["notify"]}]}"""));
    }

    static byte[] Mutate(byte[] seed, Random random)
    {
        var bytes = new List<byte>(seed);
        for (var change = random.Next(1, 5); change > 0; change--)
        {
            var at = random.Next(bytes.Count + 1);
            switch (random.Next(6))
            {
                case 0 when at < bytes.Count:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, Math.Min(random.Next(20), bytes.Count - at));
                    break;
                case 2:
                    bytes.InsertRange(at, bytes.GetRange(random.Next(at + 1), Math.Min(random.Next(30), bytes.Count - at)).ToArray());
                    break;
                case 3:
                    bytes.InsertRange(at, new byte[random.Next(8)]);
                    break;
                default:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Snippets[random.Next(Snippets.Length)]));
                    break;
            }
        }
        return [.. bytes];
    }
}
