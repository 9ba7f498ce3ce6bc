using Matrix.Gateway.Routing;

namespace Matrix.Gateway.Tests;

public sealed class RouteTableTests
{
    [Theory]
    [InlineData("/_matrix/client/versions", "client-api")]
    [InlineData("/_matrix/client/v3/sync", "client-api")]
    [InlineData("/_matrix/client/v3/rooms/!a:b/send/m.x/1", "client-api")]
    [InlineData("/_matrix/client/unstable/org.matrix.simplified_msc3575/sync", "client-api")]
    [InlineData("/_matrix/client/v1/media/download/a/b", "media-repo")]
    [InlineData("/_matrix/media/v3/upload", "media-repo")]
    [InlineData("/_matrix/federation/v1/send/1", "federation-reader")]
    [InlineData("/_matrix/federation/v1/media/download/a", "media-repo")]
    [InlineData("/_matrix/key/v2/server", "federation-reader")]
    [InlineData("/.well-known/matrix/server", "federation-reader")]
    [InlineData("/.well-known/matrix/client", "client-api")]
    [InlineData("/.well-known/matrix/support", "client-api")]
    [InlineData("/_synapse/admin/v1/register", "client-api")]
    [InlineData("/_synapse/admin/v1/rooms/!a:b", "client-api")]
    [InlineData("/_synapse/admin/v1/users/@a:b/media", "media-repo")]
    [InlineData("/_synapse/admin/v1/users/@a:b/admin", "client-api")]
    [InlineData("/health/live", null)]
    [InlineData("/health/ready", null)]
    [InlineData("/metrics", null)]
    [InlineData("/", null)]
    [InlineData("/_matrix", null)]
    [InlineData("/_matrix/identity/v2", null)]
    public void A_path_belongs_to_one_service(string path, string? service) => Assert.Equal(service, RouteTable.ServiceFor(path));
}
