using System.Text;

namespace Matrix.Protocol.Tests;

public sealed class HalfSurrogatesTests
{
    [Theory]
    [InlineData("""{"a":"\ud800"}""", """{"a":"\ufffd"}""")]
    [InlineData("""{"\uDC00":"\uD83D\uDE00"}""", """{"\ufffd":"\uD83D\uDE00"}""")]
    [InlineData("""["\ud83d\ud83d\ude00"]""", """["\ufffd\ud83d\ude00"]""")]
    [InlineData("""["\ud83dx\\ud800\n\\\udfff"]""", """["\ufffdx\\ud800\n\\\ufffd"]""")]
    [InlineData("""["\ud83d\n\u00e4 \ud83""", """["\ufffd\n\u00e4 \ud83""")]
    [InlineData("""\""", """\""")]
    public void Halves_become_the_replacement_character_and_pairs_stay(string json, string replaced)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        HalfSurrogates.Replace(bytes);
        Assert.Equal(replaced, Encoding.UTF8.GetString(bytes));
    }
}
