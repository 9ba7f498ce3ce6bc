using System.ComponentModel.DataAnnotations;

namespace Matrix.ClientApi.Endpoints.Misc;

/// <summary>The servers that calls go through when two people cannot reach each other. The keys of homeserver.yaml, named as Synapse names them.</summary>
public sealed class TurnOptions
{
    /// <summary>Such as <c>turn:turn.example.org?transport=udp</c>.</summary>
    public IReadOnlyList<string> TurnUris { get; init; } = [];

    /// <summary>What this server shares with the TURN server (coturn's <c>static-auth-secret</c>): every user then gets credentials of their own.</summary>
    public string? TurnSharedSecret { get; init; }

    /// <summary>Without a shared secret: what everybody gets.</summary>
    public string? TurnUsername { get; init; }

    public string? TurnPassword { get; init; }

    public TimeSpan TurnUserLifetime { get; init; } = TimeSpan.FromHours(1);

    public bool TurnAllowGuests { get; init; } = true;

    /// <summary><c>matrix_rtc.transports</c>: where the calls of MatrixRTC go, as clients are told; each has a <c>type</c>.</summary>
    public MatrixRtcOptions MatrixRtc { get; init; } = new();

    public sealed class MatrixRtcOptions
    {
        [MaxLength(20)] public IReadOnlyList<RtcTransport> Transports { get; init; } = [];
    }

    public sealed class RtcTransport
    {
        /// <summary>Such as <c>livekit</c>.</summary>
        [Required] public string Type { get; init; } = "";

        public Uri? LivekitServiceUrl { get; init; }
    }
}
