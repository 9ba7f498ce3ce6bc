using System.Security.Cryptography;
using System.Text;
using Matrix.ClientApi.Accounts;
using Matrix.Hosting.Configuration;
using Microsoft.Extensions.Configuration;

namespace Matrix.ClientApi.Tests.Accounts;

public sealed class SharedSecretTests
{
    const string Path = "/_synapse/admin/v1/register";

    [Fact]
    public async Task A_nonce_is_good_for_one_attempt()
    {
        await using var server = await MatrixServer.Start(configuration => configuration["registration_shared_secret"] = "shared");
        var nonce = (await server.Anonymous.Get(Path)).Ok().String("nonce");
        (await Attempt(server, nonce, "wrong secret", "eve")).Refused(403, "M_UNKNOWN");
        (await Attempt(server, nonce, "shared", "eve")).Refused(400, "M_UNKNOWN");

        nonce = (await server.Anonymous.Get(Path)).Ok().String("nonce");
        var made = (await Attempt(server, nonce, "shared", "eve")).Ok();
        Assert.Equal("@eve:test.example", made.String("user_id"));
        (await Attempt(server, nonce, "shared", "mallory")).Refused(400, "M_UNKNOWN");
    }

    [Fact]
    public async Task Without_a_secret_there_is_no_way_in()
    {
        await using var server = await MatrixServer.Start(configuration => configuration["registration_shared_secret"] = null);
        (await server.Anonymous.Get(Path)).Refused(400, "M_UNKNOWN");
        (await Attempt(server, "any", "", "eve")).Refused(400, "M_UNKNOWN");
    }

    [Fact]
    public async Task The_secret_may_be_in_a_file()
    {
        var file = System.IO.Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "of the file\n", TestContext.Current.CancellationToken);
        await using var server = await MatrixServer.Start(configuration =>
            (configuration["registration_shared_secret"], configuration["registration_shared_secret_path"]) = (null, file));
        File.Delete(file); // it was read at the start
        var nonce = (await server.Anonymous.Get(Path)).Ok().String("nonce");
        (await Attempt(server, nonce, "of the file", "eve")).Ok();
    }

    [Theory]
    [InlineData("of the key", "of the file", "registration_shared_secret is given as well: which of the two holds?")]
    [InlineData(null, " \n", "there is nothing in FILE")]
    [InlineData(null, null, "there is no file FILE")]
    public void A_file_of_which_no_secret_comes_is_a_mistake_in_the_configuration(string? secret, string? text, string found)
    {
        var file = System.IO.Path.GetTempFileName();
        try
        {
            if (text is null) File.Delete(file);
            else File.WriteAllText(file, text);
            var configuration = new ConfigurationBuilder()
                .AddInMemoryCollection([new("registration_shared_secret", secret), new("registration_shared_secret_path", file)]).Build();
            var mistake = Assert.Single(new OptionsSection<AccountOptions>(configuration, null).Mistakes);
            Assert.Equal($"registration_shared_secret_path: {found}".Replace("FILE", file, StringComparison.Ordinal), mistake.ToString());
        }
        finally
        {
            File.Delete(file);
        }
    }

    static Task<Reply> Attempt(MatrixServer server, string nonce, string secret, string username)
    {
        // what the protocol says, written out: nonce NUL user NUL password NUL admin NUL user type
        var message = Encoding.UTF8.GetBytes($"{nonce}\0{username}\0pw\0admin\0bot");
#pragma warning disable CA5350
        var mac = Convert.ToHexStringLower(HMACSHA1.HashData(Encoding.UTF8.GetBytes(secret), message));
#pragma warning restore CA5350
        return server.Anonymous.Post(Path, new { nonce, username, password = "pw", admin = true, user_type = "bot", mac });
    }
}
