namespace Matrix.ClientApi.Tests.Errors;

/// <summary>Paths of clients that are older than version 1.1 of the specification.</summary>
public sealed class OldPathTests(MatrixServer server)
{
    [Theory]
    [InlineData("/_matrix/client/r0/account/whoami")]
    [InlineData("/_matrix/media/r0/config")]
    public async Task An_r0_path_is_served_like_its_v3(string path) => (await (await server.NewUser()).Get(path)).Ok();

    [Fact]
    public async Task Only_the_version_is_renamed() =>
        (await (await server.NewUser()).Get("/_matrix/client/r00/account/whoami")).Refused(404, "M_UNRECOGNIZED");
}
