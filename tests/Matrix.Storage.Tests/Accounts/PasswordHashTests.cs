namespace Matrix.Storage.Tests.Accounts;

/// <summary>The hashes were made by another implementation: libxcrypt, of passwords that Python normalised.</summary>
public sealed class PasswordHashTests
{
    [Theory]
    [InlineData("U*U", "", "$2b$12$CCCCCCCCCCCCCCCCCCCCC.wgsDBuVnYlgJOOh/5QDniUpdm5/rfEe")]
    [InlineData("U*U", "", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("correct horse battery staple", "", "$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG")]
    [InlineData("secret", "pepper", "$2b$04$abcdefghijklmnopqrstuuB5Hia/qORvYLKPGowAnO5ubfIMCOl7O")]
    [InlineData("p\u00E4ss", "", "$2b$04$abcdefghijklmnopqrstuuF7KK/SfP9IRGj0pPJMr8GdtCS8xpmpC")]
    [InlineData("pa\u0308ss", "", "$2b$04$abcdefghijklmnopqrstuuF7KK/SfP9IRGj0pPJMr8GdtCS8xpmpC")]
    [InlineData("\uFB01 \u212B", "", "$2b$04$abcdefghijklmnopqrstuuwJlfvSZ.f70xO3JcZzuTCDpWBN15wHC")]
    [InlineData("\uAC00\uD7A3\uAC01", "", "$2b$04$abcdefghijklmnopqrstuuZbok9bPvs0EUI102CyFVb9i61poWdsS")]
    [InlineData("\u1E9B\u0323 \uFB01 \u212B \u1100\u1161\u11A8 q\u0307\u0323", "pepper", "$2b$04$abcdefghijklmnopqrstuur.KoQCNeMKpWf0OWHaynHcho/G3ceWu")]
    public void Hashes_of_another_server_open_the_accounts(string password, string pepper, string hash)
    {
        Assert.True(PasswordHash.Verify(password, pepper, hash));
        Assert.False(PasswordHash.Verify(password + "x", pepper, hash));
    }

    [Fact]
    public void Only_the_first_72_bytes_count()
    {
        const string Hash = "$2b$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe";
        Assert.True(PasswordHash.Verify(new string('a', 72), "", Hash));
        Assert.True(PasswordHash.Verify(new string('a', 200), "pepper", Hash));
        Assert.False(PasswordHash.Verify(new string('a', 71), "", Hash));
        // in the middle of a character
        Assert.True(PasswordHash.Verify(new string('a', 71) + "é", "", "$2b$04$abcdefghijklmnopqrstuuoVx8RufeJl2sf6nnK3ltb8OHjZZZsny"));
    }

    [Fact]
    public void A_new_hash_has_its_own_salt_and_the_wanted_form()
    {
        var (one, other) = (PasswordHash.Create("secret", "", 4), PasswordHash.Create("secret", "", 4));
        Assert.StartsWith("$2b$04$", one, StringComparison.Ordinal);
        Assert.NotEqual(one, other);
        Assert.True(PasswordHash.Verify("secret", "", one));
    }

    [Fact]
    public void What_is_no_hash_fits_no_password() => Assert.False(PasswordHash.Verify("secret", "", "not a hash"));
}
