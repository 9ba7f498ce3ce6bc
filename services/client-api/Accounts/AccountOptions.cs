using System.ComponentModel.DataAnnotations;

namespace Matrix.ClientApi.Accounts;

/// <summary>Who may have an account, and how sessions end. The keys of homeserver.yaml, named as Synapse names them.</summary>
public sealed class AccountOptions : IValidatableObject
{
    public bool EnableRegistration { get; init; }

    /// <summary>Open registration invites abuse: whoever wants it without a token says so.</summary>
    public bool EnableRegistrationWithoutVerification { get; init; }

    public bool RegistrationRequiresToken { get; init; }

    /// <summary>Who knows it may make accounts, administrators too, whatever the other settings.</summary>
    public string? RegistrationSharedSecret { get; init; }

    public bool AllowGuestAccess { get; init; }

    /// <summary>Base-2 logarithm of the work to hash a password.</summary>
    [Range(4, 31)] public int BcryptRounds { get; init; } = 12;

    public PasswordOptions PasswordConfig { get; init; } = new();

    public LoginTokenOptions LoginViaExistingSession { get; init; } = new();

    /// <summary>How long an access token lasts that came without a refresh token. Null: for ever.</summary>
    public TimeSpan? SessionLifetime { get; init; }

    /// <summary>How long an access token lasts that can be refreshed.</summary>
    public TimeSpan RefreshableAccessTokenLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The mail address of the server's administrator, told by .well-known.</summary>
    public string? AdminContact { get; init; }

    /// <summary>A page with help for users of the server, told by .well-known.</summary>
    public string? SupportPage { get; init; }

    /// <summary>The Ed25519 key, in unpadded base64, of a policy server that runs under this name, told by .well-known.</summary>
    [RegularExpression("[A-Za-z0-9+/_-]{43}")] public string? PolicyServerPublicKey { get; init; }

    /// <summary>How long a refresh token that nobody uses lasts. Null: for ever.</summary>
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
    }
}

/// <summary><c>login_via_existing_session</c>: a user may let in another device by a token instead of the password.</summary>
public sealed class LoginTokenOptions
{
    public bool Enabled { get; init; } = true;

    public TimeSpan TokenTimeout { get; init; } = TimeSpan.FromMinutes(2);
}

/// <summary><c>password_config</c></summary>
public sealed class PasswordOptions
{
    public bool Enabled { get; init; } = true;

    /// <summary>Added to every password before it is hashed. Once accounts exist it cannot change.</summary>
    public string Pepper { get; init; } = "";

    public PasswordPolicy Policy { get; init; } = new();
}

/// <summary><c>password_config.policy</c>: what a new password must have.</summary>
public sealed class PasswordPolicy
{
    public bool Enabled { get; init; }

    [Range(0, 72)] public int MinimumLength { get; init; }

    public bool RequireDigit { get; init; }

    public bool RequireSymbol { get; init; }

    public bool RequireLowercase { get; init; }

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
