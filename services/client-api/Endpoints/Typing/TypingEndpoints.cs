namespace Matrix.ClientApi.Endpoints.Typing;

static class TypingEndpoints
{
    public static void Map(IEndpointRouteBuilder app) => PutTyping.Map(app);
}
