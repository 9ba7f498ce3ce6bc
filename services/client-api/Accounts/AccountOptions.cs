using System.ComponentModel.DataAnnotations;

namespace Matrix.ClientApi.Accounts;

/// <summary>Who may have an account, and how sessions end. The keys of homeserver.yaml, named as Synapse names them.</summary>
public sealed class AccountOptions : IValidatableObject
{
    string? _secretOfFile;

    /// <summary>May people make accounts for themselves? Needs one of the two keys below.</summary>
    public bool EnableRegistration { get; init; }

    /// <summary>Lets anybody register who wants to. It invites abuse, so whoever wants it says so by this key.</summary>
    public bool EnableRegistrationWithoutVerification { get; init; }

    /// <summary>Only who has a registration token, which administrators make, may register.</summary>
    public bool RegistrationRequiresToken { get; init; }

    /// <summary>
    /// Who knows it may make accounts, administrators too, whatever the other settings; <c>matrixctl register-user</c> does. Left out: nobody may.
    /// </summary>
    public string? RegistrationSharedSecret { get; init; }

    /// <summary>A file with nothing in it but that secret, instead of the secret itself. Read at the start.</summary>
    public string? RegistrationSharedSecretPath { get; init; }

    /// <summary>The one of the two that is given, once the options have been checked; null: nobody registers by it.</summary>
    internal string? SharedSecret => RegistrationSharedSecret is { Length: > 0 } secret ? secret : _secretOfFile;

    /// <summary>May people look around without an account, as guests?</summary>
    public bool AllowGuestAccess { get; init; }

    /// <summary>The work that hashing a password costs: one more doubles it.</summary>
    [Range(4, 31)] public int BcryptRounds { get; init; } = 12;

    /// <summary>Passwords.</summary>
    public PasswordOptions PasswordConfig { get; init; } = new();

    /// <summary>Letting in another device without a password.</summary>
    public LoginTokenOptions LoginViaExistingSession { get; init; } = new();

    /// <summary>How long an access token lasts that came without a refresh token. Left out: until logout.</summary>
    public TimeSpan? SessionLifetime { get; init; }

    /// <summary>How long an access token lasts that can be refreshed.</summary>
    public TimeSpan RefreshableAccessTokenLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The mail address of the server's administrator, told by <c>/.well-known/matrix/support</c>.</summary>
    public string? AdminContact { get; init; }

    /// <summary>The address of a page with help for users, told by <c>/.well-known/matrix/support</c>.</summary>
    public string? SupportPage { get; init; }

    /// <summary>The Ed25519 key, in unpadded base64, of a policy server that runs under this name, told by <c>/.well-known/matrix/policy_server</c>.</summary>
    [RegularExpression("[A-Za-z0-9+/_-]{43}")] public string? PolicyServerPublicKey { get; init; }

    /// <summary>How long a refresh token that nobody uses lasts. Left out: for ever.</summary>
    public TimeSpan? RefreshTokenLifetime { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (EnableRegistration && !RegistrationRequiresToken && !EnableRegistrationWithoutVerification)
        {
            yield return new ValidationResult(
                "anybody could register: set registration_requires_token, or enable_registration_without_verification if that is meant",
                [nameof(EnableRegistration)]);
        }

        if (RefreshableAccessTokenLifetime <= TimeSpan.Zero)
            yield return new ValidationResult("must be above zero", [nameof(RefreshableAccessTokenLifetime)]);
        if (ReadSecret() is { } mistake) yield return new ValidationResult(mistake, [nameof(RegistrationSharedSecretPath)]);
    }

    /// <summary>What keeps the secret from being known, or null.</summary>
    string? ReadSecret()
    {
        if (RegistrationSharedSecretPath is not { Length: > 0 } path) return null;
        if (RegistrationSharedSecret is { Length: > 0 }) return "registration_shared_secret is given as well: which of the two holds?";
        try
        {
            _secretOfFile = File.ReadAllText(path).Trim();
            return _secretOfFile.Length > 0 ? null : $"there is nothing in {path}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e is FileNotFoundException or DirectoryNotFoundException ? $"there is no file {path}" : $"{path} cannot be read: {e.Message}";
        }
    }
}

/// <summary><c>login_via_existing_session</c>: a user may let in another device by a token instead of the password.</summary>
public sealed class LoginTokenOptions
{
    /// <summary>May a user let in another device by a token, instead of giving it the password?</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>How long such a token can be used.</summary>
    public TimeSpan TokenTimeout { get; init; } = TimeSpan.FromMinutes(2);
}

/// <summary><c>password_config</c></summary>
public sealed class PasswordOptions
{
    /// <summary>May people log in by password?</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Added to every password before it is hashed. Once there are accounts it cannot be changed.</summary>
    public string Pepper { get; init; } = "";

    /// <summary>What a new password must have.</summary>
    public PasswordPolicy Policy { get; init; } = new();
}

/// <summary><c>password_config.policy</c>: what a new password must have.</summary>
public sealed class PasswordPolicy
{
    /// <summary>Hold new passwords to the keys below.</summary>
    public bool Enabled { get; init; }

    /// <summary>The fewest characters.</summary>
    [Range(0, 72)] public int MinimumLength { get; init; }

    /// <summary>It must have a digit.</summary>
    public bool RequireDigit { get; init; }

    /// <summary>It must have a character that is neither letter nor digit.</summary>
    public bool RequireSymbol { get; init; }

    /// <summary>It must have a lower-case letter.</summary>
    public bool RequireLowercase { get; init; }

    /// <summary>It must have an upper-case letter.</summary>
    public bool RequireUppercase { get; init; }

    /// <summary>What the password lacks, or null.</summary>
    public string? Check(string password)
    {
        if (!Enabled) return null;
        if (password.Length < MinimumLength) return $"The password must have at least {MinimumLength} characters.";
        if (RequireDigit && !password.Any(char.IsDigit)) return "The password must have a digit.";
        if (RequireSymbol && password.All(char.IsLetterOrDigit)) return "The password must have a character that is neither letter nor digit.";
        if (RequireLowercase && !password.Any(char.IsLower)) return "The password must have a lower-case letter.";
        if (RequireUppercase && !password.Any(char.IsUpper)) return "The password must have an upper-case letter.";
        return null;
    }
}
