using System.Text.Json;

namespace Matrix.EndToEnd.Tests;

/// <summary>End-to-end encryption as Element does it: matrix-js-sdk with the Rust cryptography, on the split stack with two client-api replicas.</summary>
[Collection("end to end")]
public sealed class EncryptionTests(SplitStack stack)
{
    const string Password = "correct horse battery staple";

    [Fact]
    public async Task Two_people_talk_in_secret_and_a_new_device_reads_it_from_the_backup()
    {
        await using var alice = await ChatClient.Register(ClientLibrary.JsSdk, stack.Server.Url, SplitStack.NewName("alice"), Password, encrypted: true);
        await using var bob = await ChatClient.Register(ClientLibrary.JsSdk, stack.Server.Url, SplitStack.NewName("bob"), Password, encrypted: true);
        var recoveryKey = (await alice.Call("setUpEncryption", new { password = Password })).GetProperty("recoveryKey").GetString();
        var room = await alice.CreateRoom(new
        {
            preset = "private_chat",
            initial_state = new[] { new { type = "m.room.encryption", state_key = "", content = new { algorithm = "m.megolm.v1.aes-sha2" } } },
        });
        await alice.Invite(room, bob.UserId);
        await bob.WaitMembership(room, bob.UserId, "invite");
        await bob.Join(room);
        await alice.WaitMembership(room, bob.UserId, "join");

        foreach (var (speaker, listener) in new[] { (alice, bob), (bob, alice), (alice, bob) })
        {
            var said = $"a secret of {speaker.UserId} {Guid.NewGuid()}";
            await speaker.Send(room, said);
            Assert.True((await listener.WaitMessage(room, said)).Encrypted);
        }
        await alice.Call("backedUp", new { count = 2, timeout = 30_000 });

        await using var phone = await ChatClient.Login(ClientLibrary.JsSdk, stack.Server.Url, alice.UserId, Password, encrypted: true, recoveryKey);
        await phone.Call("recover");
        await RunningServer.Eventually("the new device reads what was said before", async () => (await phone.ReadTimeline(room)).Messages.Count == 3);
        // a device knows of a signature, its own included, once sync has told it to ask for the keys again
        foreach (var client in new[] { phone, bob })
        {
            await RunningServer.Eventually($"{client.UserId} sees both devices of alice signed by her", async () =>
            {
                var devices = await client.Call("devicesOf", new { userId = alice.UserId });
                return Names(devices, "ids").Count == 2 && Names(devices, "signed").SetEquals(Names(devices, "ids"));
            });
        }
    }

    static HashSet<string> Names(JsonElement json, string name) => [.. json.GetProperty(name).EnumerateArray().Select(id => id.GetString()!)];
}
