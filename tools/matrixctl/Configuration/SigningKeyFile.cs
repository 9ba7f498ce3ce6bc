using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Matrix.LocalStack;
using Matrix.Protocol;

namespace Matrix.Ctl.Configuration;

/// <summary>The server's signing key, and its change for another.</summary>
static class SigningKeyFile
{
    const string Section = "old_signing_keys:";

    /// <summary>The contents of a new key file.</summary>
    public static string New()
    {
        const string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        using var key = SigningKey.Generate($"a_{RandomNumberGenerator.GetString(letters, 4)}");
        return key.FormatFile();
    }

    /// <summary>
    /// Puts a new key in the file's place. The old one's public half goes to <c>old_signing_keys</c> of the configuration first: if only the first
    /// step happens, the key stays in use and is listed twice, which does no harm.
    /// </summary>
    /// <returns>The old key's id and the new one's.</returns>
    public static (KeyId Old, KeyId New) Rotate(string configPath, string keyPath, DateTimeOffset now)
    {
        using var old = SigningKey.ParseFile(File.ReadAllText(keyPath));
        var text = New();
        using var key = SigningKey.ParseFile(text);
        var entry = string.Create(CultureInfo.InvariantCulture,
            $"  \"{old.KeyId}\": {{ key: \"{old.VerifyKey}\", expired_ts: {now.ToUnixTimeMilliseconds()} }}\n");
        AtomicFile.Write(configPath, Encoding.UTF8.GetBytes(Insert(File.ReadAllText(configPath), entry)));
        AtomicFile.Write(keyPath, Encoding.ASCII.GetBytes(text));
        return (old.KeyId, key.KeyId);
    }

    /// <summary>As text, so that the file's comments stay.</summary>
    static string Insert(string config, string entry)
    {
        var lines = config.Split('\n').ToList();
        var at = lines.FindIndex(line => line.TrimEnd() == Section);
        if (at < 0 && lines.Exists(line => line.StartsWith(Section, StringComparison.Ordinal)))
            throw new StackException($"{Section} is not written over several lines; add this to it by hand, then run this again:\n{entry}");
        if (at >= 0)
            lines.Insert(at + 1, entry.TrimEnd('\n'));
        return at >= 0 ? string.Join('\n', lines)
            : $"{config.TrimEnd('\n')}\n\n# Keys that signed in the past. What they signed before they expired stays valid.\n{Section}\n{entry}";
    }
}
