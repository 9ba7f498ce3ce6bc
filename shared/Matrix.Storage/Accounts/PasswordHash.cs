namespace Matrix.Storage;

/// <summary>
/// Passwords as Synapse stores them, so that its accounts can be taken over: bcrypt (<c>$2b$</c>) of the UTF-8 of the NFKC-normalised
/// password with the pepper after it. Bcrypt sees the first 72 bytes. Slow on purpose: hundreds of milliseconds of one core.
/// </summary>
public static class PasswordHash
{
    /// <param name="rounds">Base-2 logarithm of the work, 4 to 31.</param>
    public static string Create(string password, string pepper, int rounds) =>
        BCrypt.Net.BCrypt.HashPassword(Prepare(password, pepper), BCrypt.Net.BCrypt.GenerateSalt(rounds, 'b'));

    /// <summary>False too when the hash is not one.</summary>
    public static bool Verify(string password, string pepper, string hash)
    {
        try
        {
            return BCrypt.Net.BCrypt.Verify(Prepare(password, pepper), hash);
        }
        catch (BCrypt.Net.SaltParseException)
        {
            return false;
        }
    }

    static string Prepare(string password, string pepper) => Nfkc.Normalize(password) + pepper;
}
