using Matrix.Http;

namespace Matrix.FederationReader.Endpoints.Queries;

/// <summary>At the top level of homeserver.yaml.</summary>
public sealed class DirectoryOptions
{
    /// <summary>May other servers, and so everybody, read which rooms are published here?</summary>
    public bool AllowPublicRoomsOverFederation { get; init; }

    /// <exception cref="MatrixException">403: they may not.</exception>
    internal void Demand()
    {
        if (!AllowPublicRoomsOverFederation)
            throw MatrixException.Forbidden("This server does not show its published rooms to other servers.");
    }
}
