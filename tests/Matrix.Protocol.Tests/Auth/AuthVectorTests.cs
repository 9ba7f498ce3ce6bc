namespace Matrix.Protocol.Tests;

public class AuthVectorTests
{
    public static TheoryData<string> Names => [.. AuthVector.Names()];

    [Theory, MemberData(nameof(Names))]
    public void The_rules_decide_as_the_vector_says(string name)
    {
        var vector = AuthVector.Read(name);
        for (var version = vector.From; version <= vector.To; version++)
        {
            var result = vector.Run(RoomVersions.All[version - 1]);
            Assert.Equal($"{version}: {vector.Expect}", $"{version}: {(result.Allowed ? "allow" : result.Rule)}");
        }
    }
}
