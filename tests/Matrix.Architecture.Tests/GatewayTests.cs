using System.Text.RegularExpressions;
using Matrix.Gateway.Routing;

namespace Matrix.Architecture.Tests;

/// <summary>The gateway's table and the services agree.</summary>
public sealed partial class GatewayTests
{
    [Fact]
    public void Every_served_route_reaches_the_service_that_serves_it() =>
        Repository.AssertNone(
            from served in ServedRoutes.All
            let reached = RouteTable.ServiceFor(Parameter().Replace(served.Route.Path, "x"))
            where reached != served.Service
            select $"{served.Route} is served by {served.Service}, and the gateway sends it to {reached ?? "nobody"}");

    [Fact]
    public void Every_specified_route_reaches_some_service() =>
        Repository.AssertNone(SpecRoutes.Committed.Where(route => RouteTable.ServiceFor(Parameter().Replace(route.Path, "x")) == null && !route.Path.StartsWith("/_matrix/policy/", StringComparison.Ordinal)));

    [Theory, InlineData("/health/ready"), InlineData("/health/live"), InlineData("/metrics"), InlineData("/"), InlineData("/_matrix")]
    public void What_concerns_one_process_is_not_to_be_reached(string path) => Assert.Null(RouteTable.ServiceFor(path));

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Parameter();
}
