using Matrix.Http;
using Matrix.Rooms.Joining;

namespace Matrix.FederationReader.Endpoints.Membership;

static class Versions
{
    public static MatrixException Incompatible(IncompatibleRoomVersionException e) => new(e.Status, e.Errcode, e.Message, ("room_version", e.RoomVersion));
}
