using System.Text;

namespace Matrix.Protocol.Tests;

public class CanonicalJsonTests
{
    static string Canonical(string json, JsonRules rules = JsonRules.Strict) =>
        Encoding.UTF8.GetString(CanonicalJson.Canonicalize(Encoding.UTF8.GetBytes(json), rules));

    /// <summary>The examples of the appendices.</summary>
    [Theory]
    [InlineData("{}", "{}")]
    [InlineData("""{ "one": 1, "two": "Two" }""", """{"one":1,"two":"Two"}""")]
    [InlineData("""{ "b": "2", "a": "1" }""", """{"a":"1","b":"2"}""")]
    [InlineData(
        """
        {"auth": {"success": true, "mxid": "@john.doe:example.com", "profile": {"display_name": "John Doe", "three_pids": [
        {"medium": "email", "address": "john.doe@example.org"}, {"medium": "msisdn", "address": "123456789"}]}}}
        """,
        """{"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":[{"address":"john.doe@example.org","medium":"email"},{"address":"123456789","medium":"msisdn"}]},"success":true}}""")]
    [InlineData("""{ "a": "日本語" }""", """{"a":"日本語"}""")]
    [InlineData("""{ "本": 2, "日": 1 }""", """{"日":1,"本":2}""")]
    [InlineData("""{ "a": "\u65E5" }""", """{"a":"日"}""")]
    [InlineData("""{ "a": null }""", """{"a":null}""")]
    public void The_specifications_examples(string json, string canonical) => Assert.Equal(canonical, Canonical(json));

    [Fact]
    public void The_specifications_numbers_need_the_relaxed_rules()
    {
        Assert.Equal("""{"a":0,"b":10000000000}""", Canonical("""{ "a": -0, "b": 1e10 }""", JsonRules.Relaxed));
        Assert.Throws<InvalidJsonException>(() => Canonical("""{"a":-0}"""));
        Assert.Throws<InvalidJsonException>(() => Canonical("""{"b":1e10}"""));
    }

    [Theory]
    [InlineData("9007199254740991")]
    [InlineData("-9007199254740991")]
    [InlineData("0")]
    public void Integers_up_to_the_limit_pass(string number) => Assert.Equal(number, Canonical(number));

    [Theory]
    [InlineData("9007199254740992")]
    [InlineData("-9007199254740992")]
    [InlineData("99999999999999999999")]
    [InlineData("1.0")]
    [InlineData("50.57")]
    public void Other_numbers_pass_unchanged_under_the_relaxed_rules_only(string number)
    {
        Assert.Equal(number, Canonical(number, JsonRules.Relaxed));
        Assert.Throws<InvalidJsonException>(() => Canonical(number));
    }

    [Fact]
    public void Escapes_take_their_shortest_form() =>
        Assert.Equal("""["\u0000\b\t\n\u000b\f\r\"\\/\u001f""" + "\u007f😀\u2028\"]",
            Canonical("""["\u0000\u0008\u0009\u000A\u000B\u000C\u000D\u0022\u005C\/\u001F\u007F\uD83D\uDE00\u2028"]"""));

    [Fact]
    public void Keys_sort_by_code_point_not_by_utf16_unit_or_escape() =>
        Assert.Equal("""{"\u001f":0,"!":1,"\"":2,"A":3,"\\":4,"a":5,"\uffee":6,"😀":7}""".Replace("\\uffee", "\uffee"),
            Canonical("""{"😀":7,"\uFFEE":6,"a":5,"\\":4,"A":3,"\"":2,"!":1,"\u001f":0}"""));

    [Fact]
    public void A_shorter_key_comes_first() => Assert.Equal("""{"":0,"a":1,"a\"":3,"ab":2}""", Canonical("""{"ab":2,"a\"":3,"a":1,"":0}"""));

    [Fact]
    public void Of_repeated_keys_the_last_counts_or_none()
    {
        Assert.Equal("""{"a":{"x":3},"b":2}""", Canonical("""{"a":1,"b":2,"a":{"x":3}}""", JsonRules.Relaxed));
        Assert.Throws<InvalidJsonException>(() => Canonical("""{"a":1,"b":2,"\u0061":3}"""));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("{")]
    [InlineData("{\"a\"}")]
    [InlineData("{\"a\":}")]
    [InlineData("{\"a\":1,}")]
    [InlineData("{a:1}")]
    [InlineData("[1,]")]
    [InlineData("[1 2]")]
    [InlineData("01")]
    [InlineData("-")]
    [InlineData("1.")]
    [InlineData("1e")]
    [InlineData("+1")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("tru")]
    [InlineData("\"a")]
    [InlineData("\"\\")]
    [InlineData("\"\\u12\"")]
    [InlineData("\"\\u12G4\"")]
    [InlineData("\"\\x\"")]
    [InlineData("\"\\ud800\"")]
    [InlineData("\"\\ud800\\u0041\"")]
    [InlineData("\"\\udc00\"")]
    [InlineData("\"\n\"")]
    [InlineData("{} {}")]
    public void Other_texts_are_refused_by_both_rules(string json)
    {
        Assert.Throws<InvalidJsonException>(() => Canonical(json));
        Assert.Throws<InvalidJsonException>(() => Canonical(json, JsonRules.Relaxed));
    }

    [Fact]
    public void Bytes_that_are_not_utf8_are_refused() =>
        Assert.Throws<InvalidJsonException>(() => CanonicalJson.Canonicalize([(byte)'"', 0xC3, 0x28, (byte)'"']));

    [Fact]
    public void Nesting_has_a_limit()
    {
        static string Nest(int depth) => new string('[', depth) + new string(']', depth);
        Assert.Equal(Nest(CanonicalJson.MaxDepth), Canonical(Nest(CanonicalJson.MaxDepth)));
        Assert.Throws<InvalidJsonException>(() => Canonical(Nest(CanonicalJson.MaxDepth + 1)));
    }
}
