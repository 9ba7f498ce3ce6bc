using System.ComponentModel.DataAnnotations;

namespace Matrix.ClientApi.Endpoints.Misc;

/// <summary>The servers that calls go through when two people cannot reach each other. The keys of homeserver.yaml, named as Synapse names them.</summary>
public sealed class TurnOptions
{
    /// <summary>The TURN servers, such as <c>turn:turn.example.org?transport=udp</c>.</summary>
    public IReadOnlyList<string> TurnUris { get; init; } = [];

    /// <summary>What this server shares with the TURN server (coturn's <c>static-auth-secret</c>): every user then gets credentials of their own.</summary>
    public string? TurnSharedSecret { get; init; }

    /// <summary>Without a shared secret: the name that everybody gets.</summary>
    public string? TurnUsername { get; init; }

    /// <summary>The password with <c>turn_username</c>.</summary>
    public string? TurnPassword { get; init; }

    /// <summary>How long a user's credentials are good.</summary>
    public TimeSpan TurnUserLifetime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Do guests get any?</summary>
    public bool TurnAllowGuests { get; init; } = true;

    /// <summary>Calls of MatrixRTC (Element Call).</summary>
    public MatrixRtcOptions MatrixRtc { get; init; } = new();

    public sealed class MatrixRtcOptions
    {
        /// <summary>Where such calls go, as clients are told.</summary>
        [MaxLength(20)] public IReadOnlyList<RtcTransport> Transports { get; init; } = [];
    }

    public sealed class RtcTransport
    {
        /// <summary>The kind of transport, such as <c>livekit</c>.</summary>
        [Required] public string Type { get; init; } = "";

        /// <summary>For <c>livekit</c>: where clients get their token for the call.</summary>
        public Uri? LivekitServiceUrl { get; init; }
    }
}
