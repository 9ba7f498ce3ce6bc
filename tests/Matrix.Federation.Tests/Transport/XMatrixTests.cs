namespace Matrix.Federation.Tests.Transport;

/// <summary>The Authorization header of servers, as it may be written (Server-Server API, Request Authentication; RFC 9110, 11.4).</summary>
public sealed class XMatrixTests
{
    [Theory]
    [InlineData("X-Matrix origin=\"a.org\",destination=\"b.org\",key=\"ed25519:a\",sig=\"AA+/\"", "a.org b.org ed25519:a AA+/")]
    [InlineData("X-Matrix origin=a.org:8448,key=ed25519:a,sig=AA==,destination=b.org", "a.org:8448 b.org ed25519:a AA==")]
    [InlineData("x-matrix   key=\"ed25519:a\" ,\tORIGIN = \"[::1]:5\" , sig=\"A\\A\"", "[::1]:5  ed25519:a AA")]
    [InlineData("X-Matrix origin=a.org,other=\"x,key=y\",key=ed25519:a,sig=A", "a.org  ed25519:a A")]
    public void Names_are_in_any_case_and_order_and_values_quoted_or_not(string header, string read)
    {
        Assert.True(XMatrix.TryParse(header, out var signature));
        Assert.Equal(read, $"{signature.Origin} {signature.Destination} {signature.Key} {signature.Signature}");
    }

    [Theory]
    [InlineData("X-Matrix origin=a.org,key=ed25519:a,sig=A,sig=B")]
    [InlineData("X-Matrix origin=a.org,Origin=b.org,key=ed25519:a,sig=A")]
    [InlineData("X-Matrix origin=a.org,destination=b.org,destination=c.org,key=ed25519:a,sig=A")]
    [InlineData("X-Matrix origin=a.org,destination=,key=ed25519:a,sig=A")]
    [InlineData("X-Matrix origin=\"a.org/b\",key=ed25519:a,sig=A")]
    [InlineData("X-Matrix origin=a.org,key=a,sig=A")]
    [InlineData("X-Matrix origin=a.org,key=ed25519:a,sig=\"A\\")]
    [InlineData("X-Matrix origin=a.org,key=ed25519:a")]
    public void What_is_said_twice_or_is_no_name_is_refused(string header) => Assert.False(XMatrix.TryParse(header, out _));
}
