using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>Whether a room is in the server's directory, as the spec spells it.</summary>
static class Visibility
{
    public static bool IsPublic(string visibility) => visibility switch
    {
        "public" => true,
        "private" => false,
        _ => throw MatrixException.InvalidParam("visibility must be public or private."),
    };

    public static string Of(bool published) => published ? "public" : "private";
}
