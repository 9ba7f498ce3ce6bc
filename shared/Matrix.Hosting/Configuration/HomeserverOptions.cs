using System.ComponentModel.DataAnnotations;
using System.Text.RegularExpressions;

namespace Matrix.Hosting.Configuration;

/// <summary>What every service knows of the homeserver: the top level of homeserver.yaml.</summary>
public sealed partial class HomeserverOptions : IValidatableObject
{
    /// <summary>What stands behind the colon in the ids of users. It can never be changed once there is data.</summary>
    [Required] public string ServerName { get; init; } = "";

    /// <summary>
    /// Where clients reach the server, such as <c>https://matrix.example.org/</c>: told by <c>/.well-known/matrix/client</c>, and used for links in
    /// mails. Left out, nothing is told there (<c>matrixctl up</c> gives its own address), and mails name the server name.
    /// </summary>
    public Uri? PublicBaseurl { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ServerName.Length > 0 && !Grammar().IsMatch(ServerName))
            yield return new ValidationResult($"'{ServerName}' is not a host name with an optional port", [nameof(ServerName)]);
        if (PublicBaseurl is { Scheme: not ("http" or "https") })
            yield return new ValidationResult("must begin with https://", [nameof(PublicBaseurl)]);
    }

    // Appendices, Server Name; a name is at most 255 bytes with the rest of an identifier
    [GeneratedRegex(@"\A(?=.{1,230}\z)(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?\z")]
    private static partial Regex Grammar();
}
