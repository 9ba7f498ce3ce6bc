using Matrix.ClientApi.Sync;
using Matrix.Replication;

namespace Matrix.ClientApi.Tests.Sync;

public sealed class SyncTokenTests
{
    [Theory]
    [InlineData("s0", 0)]
    [InlineData("s123", 123)]
    [InlineData("t123", 123)]
    [InlineData("t-5", -5)]
    [InlineData("s123_later_parts", 123)]
    public void A_token_is_understood_in_either_form_and_with_parts_of_later_versions(string text, long position)
    {
        Assert.True(SyncToken.TryParse(text, out var token));
        Assert.Equal(position, token.Position.Value);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("123")]
    [InlineData("x123")]
    [InlineData("s12a")]
    [InlineData("s 12")]
    [InlineData("s99999999999999999999")]
    public void Anything_else_is_not_a_token(string? text) => Assert.False(SyncToken.TryParse(text, out _));

    [Fact]
    public void A_token_is_written_as_it_is_read()
    {
        var token = new SyncToken(new LogPosition(42));
        Assert.Equal("s42", token.ToString());
        Assert.Equal("t42", token.ToTimelineString());
    }
}
