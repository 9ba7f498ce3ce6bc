using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;

namespace Matrix.Protocol.Tests;

public class ProtocolProperties
{
    /// <summary>Characters of all planes: the order of UTF-16 is not that of code points.</summary>
    static readonly Gen<string> Text = Gen.OneOf(Gen.Char.Where(c => !char.IsSurrogate(c)).Select(c => c.ToString()),
        Gen.Char['\uE000', '\uFFFF'].Select(c => c.ToString()), Gen.Int[0x10000, 0x10FFFF].Select(char.ConvertFromUtf32)).Array[0, 12].Select(string.Concat);

    static readonly Gen<JsonNode?> Leaf = Gen.OneOf(
        Gen.Const((JsonNode?)null), Gen.Bool.Select(value => (JsonNode?)value), Text.Select(value => (JsonNode?)value),
        Gen.Long[-(1L << 53) + 1, (1L << 53) - 1].Select(value => (JsonNode?)value));

    static readonly Gen<JsonObject> Object = Nested(3);

    static Gen<JsonObject> Nested(int depth)
    {
        var value = depth == 0 ? Leaf : Gen.OneOf(Leaf, Nested(depth - 1).Select(node => (JsonNode?)node),
            Leaf.Array[0, 4].Select(items => (JsonNode?)new JsonArray([.. items.Select(item => item?.DeepClone())])));
        return Gen.Select(Text, value).Array[0, 6].Select(members =>
            new JsonObject(members.DistinctBy(member => member.Item1).Select(member => KeyValuePair.Create(member.Item1, member.Item2?.DeepClone()))));
    }

    static byte[] Bytes(JsonNode node) => JsonSerializer.SerializeToUtf8Bytes(node);

    [Fact]
    public void Canonical_json_is_idempotent() => Object.Sample(node =>
    {
        var once = CanonicalJson.Canonicalize(Bytes(node));
        return once.AsSpan().SequenceEqual(CanonicalJson.Canonicalize(once));
    });

    [Fact]
    public void Canonical_json_does_not_depend_on_order_or_whitespace() => Object.Sample(node =>
    {
        var reversed = Encoding.UTF8.GetBytes(Reverse(node)!.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        return CanonicalJson.Canonicalize(Bytes(node)).AsSpan().SequenceEqual(CanonicalJson.Canonicalize(reversed));
    });

    [Fact]
    public void Canonical_json_means_the_same() => Object.Sample(node =>
        JsonNode.DeepEquals(node, JsonNode.Parse(CanonicalJson.Canonicalize(Bytes(node)))));

    [Fact]
    public void Canonical_json_has_its_keys_in_the_order_of_code_points() => Text.Array[2, 6].Sample(keys =>
    {
        var node = new JsonObject(keys.Distinct().Select(key => KeyValuePair.Create(key, (JsonNode?)1)));
        var names = JsonNode.Parse(CanonicalJson.Canonicalize(Bytes(node)))!.AsObject().Select(member => member.Key).ToList();
        return names.Zip(names.Skip(1)).All(pair => CompareCodePoints(pair.First, pair.Second) < 0);
    });

    static int CompareCodePoints(string left, string right)
    {
        foreach (var (x, y) in left.EnumerateRunes().Zip(right.EnumerateRunes()))
            if (x != y)
                return x.CompareTo(y);
        return left.EnumerateRunes().Count().CompareTo(right.EnumerateRunes().Count());
    }

    [Fact]
    public void What_was_signed_verifies_and_what_was_changed_does_not()
    {
        using var key = SigningKey.Generate("a");
        VerifyKey? Find(KeyId id) => id == key.KeyId ? key.VerifyKey : null;
        Gen.Select(Object, Gen.Int[0, int.MaxValue], Gen.Byte).Sample((node, place, change) =>
        {
            node.Remove("signatures");
            node.Remove("unsigned");
            var signed = JsonSignatures.Sign(Bytes(node), TestRoom.Server, key);
            if (!JsonSignatures.Verify(signed, TestRoom.Server, Find))
                return false;
            var changed = signed.ToArray();
            changed[place % changed.Length] ^= (byte)(change | 1);
            return !VerifiesAsAnother(changed, signed, Find);
        }, iter: 300);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("8")]
    [InlineData("12")]
    public void Redaction_is_idempotent_and_keeps_the_id(string version)
    {
        var room = new TestRoom(RoomVersions.Find(version)!);
        string[] types = [EventTypes.Message, EventTypes.Member, EventTypes.PowerLevels, EventTypes.JoinRules, EventTypes.Redaction, EventTypes.Aliases];
        Gen.Select(Object, Gen.Int[0, types.Length - 1].Select(index => types[index]), Gen.Bool).Sample((node, type, more) =>
        {
            if (more)
                foreach (var name in new[] { "membership", "users", "join_rule", "aliases", "redacts", "third_party_invite" })
                    node[name] = new JsonObject { ["signed"] = 1, ["other"] = 2 };
            var pdu = room.Event(type, node.ToJsonString(), stateKey: "");
            var redacted = Redaction.Redact(pdu.Json, room.Rules);
            return redacted.AsSpan().SequenceEqual(Redaction.Redact(redacted, room.Rules))
                && Pdu.Parse(redacted, room.Rules).EventId == pdu.EventId
                && redacted.AsSpan().SequenceEqual(pdu.Redact().Json.Span);
        }, iter: 300);
    }

    [Fact]
    public void Globs_match_as_regular_expressions_do() =>
        Gen.Select(Gen.Char["ab*?_ "].Array[0, 6], Gen.Char["ab_ "].Array[0, 10]).Sample((p, t) =>
        {
            var (pattern, text) = (new string(p), new string(t));
            var regex = System.Text.RegularExpressions.Regex.Escape(pattern).Replace("\\*", ".*").Replace("\\?", ".");
            bool Is(string r) => System.Text.RegularExpressions.Regex.IsMatch(text, r, System.Text.RegularExpressions.RegexOptions.Singleline);
            return new Glob(pattern).Matches(text) == Is("^(?:" + regex + ")\\z")
                && new Glob(pattern).MatchesWords(text) == Is("(?:^|(?<![a-z_]))(?:" + regex + ")(?![a-z_])");
        }, iter: 20_000);

    [Fact]
    public void Characters_outside_of_the_basic_plane_are_one_character_to_a_glob() =>
        Gen.Select(Gen.Char["ax*?_ "].Array[0, 8], Gen.Char["ax_ "].Array[0, 12]).Sample((p, t) =>
        {
            // x stands for such a character, once as one of the basic plane and once not; neither belongs to a word.
            var (pattern, text) = (new string(p), new string(t));
            static string With(string s, string x) => s.Replace("x", x);
            return new Glob(With(pattern, "ü")).Matches(With(text, "ü")) == new Glob(With(pattern, "😀")).Matches(With(text, "😀"))
                && new Glob(With(pattern, "ü")).MatchesWords(With(text, "ü")) == new Glob(With(pattern, "😀")).MatchesWords(With(text, "😀"));
        }, iter: 20_000);

    [Fact]
    public void Long_pieces_of_a_glob_match_as_short_ones_do() =>
        Gen.Select(Gen.Char["aab?"].Array[60, 200], Gen.Int[0, 199], Gen.Bool).Sample((p, place, spoil) =>
        {
            // The pattern with a letter for each question mark matches, behind other text too, and no longer does when a letter of it is another.
            var text = new string(p).Replace('?', 'z').ToCharArray();
            place %= text.Length;
            if (spoil)
                text[place] = 'x';
            var expected = !spoil || p[place] == '?';
            var glob = new Glob(new string(p) + "?");
            return glob.Matches(new string(text) + "y") == expected && glob.MatchesWords("aab " + new string(text) + "y") == expected
                && new Glob("*" + new string(p) + "?*").Matches("aab" + new string(text) + "y!") == expected;
        }, iter: 2_000);

    [Theory]
    [InlineData("a?", 20_000, "b")]
    [InlineData("a", 40_000, "b")]
    [InlineData("a*", 20_000, "b")]
    [InlineData("?*a", 13_000, "?b")]
    [InlineData("?", 40_000, "b")]
    public void No_pattern_takes_long_over_the_longest_body(string piece, int times, string end)
    {
        var glob = new Glob(string.Concat(Enumerable.Repeat(piece, times)) + end, ignoreCase: true);
        var body = new string('a', 60_000);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        Assert.False(glob.MatchesWords(body) || glob.Matches(body));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"took {clock.Elapsed}");
    }

    /// <summary>Does it still verify while it says something else? Base64 has spare bits, so the same signature has other spellings.</summary>
    static bool VerifiesAsAnother(byte[] changed, byte[] signed, Func<KeyId, VerifyKey?> find)
    {
        try
        {
            static byte[] Payload(byte[] json) => CanonicalJson.Canonicalize(Bytes(Without(JsonNode.Parse(json)!.AsObject())), JsonRules.Relaxed);
            return JsonSignatures.Verify(changed, TestRoom.Server, find) && !Payload(changed).AsSpan().SequenceEqual(Payload(signed));
        }
        catch (ProtocolException)
        {
            return false;
        }
    }

    static JsonObject Without(JsonObject node)
    {
        node.Remove("signatures");
        node.Remove("unsigned");
        return node;
    }

    static JsonNode? Reverse(JsonNode? node) => node switch
    {
        JsonObject item => new JsonObject(item.Reverse().Select(member => KeyValuePair.Create(member.Key, Reverse(member.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Reverse)]),
        _ => node?.DeepClone(),
    };
}
