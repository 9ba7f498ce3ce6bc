using Matrix.FederationReader.Endpoints.ThirdParty;

namespace Matrix.FederationReader.Endpoints.Membership;

static class MembershipEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        GetMakeJoin.Map(app);
        GetMakeKnock.Map(app);
        GetMakeLeave.Map(app);
        PutSendJoin.Map(app);
        PutSendJoinV1.Map(app);
        PutSendKnock.Map(app);
        PutSendLeave.Map(app);
        PutSendLeaveV1.Map(app);
        PutInvite.Map(app);
        PutInviteV1.Map(app);
        PutExchangeThirdPartyInvite.Map(app);
        PutThreepidOnBind.Map(app);
    }
}
