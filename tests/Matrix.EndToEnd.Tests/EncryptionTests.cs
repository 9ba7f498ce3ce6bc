using System.Text.Json;
using Matrix.Testing;

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
        var room = await SecretRoom(alice, bob);

        foreach (var (speaker, listener) in new[] { (alice, bob), (bob, alice), (alice, bob) })
        {
            var said = $"a secret of {speaker.UserId} {Guid.NewGuid()}";
            await speaker.Send(room, said);
            Assert.True((await listener.WaitMessage(room, said)).Encrypted);
        }
        await alice.Call("backedUp", new { count = 2, timeout = 30_000 });

        await using var phone = await ChatClient.Login(ClientLibrary.JsSdk, stack.Server.Url, alice.UserId, Password, encrypted: true, recoveryKey);
        await phone.Call("recover");
        await Eventually.True("the new device reads what was said before", async () => (await phone.ReadTimeline(room)).Messages.Count == 3);
        // a device knows of a signature, its own included, once sync has told it to ask for the keys again
        foreach (var client in new[] { phone, bob })
        {
            await Eventually.True($"{client.UserId} sees both devices of alice signed by her", async () =>
            {
                var devices = await client.Call("devicesOf", new { userId = alice.UserId });
                return Names(devices, "ids").Count == 2 && Names(devices, "signed").SetEquals(Names(devices, "ids"));
            });
        }
    }

    [Fact]
    public async Task Two_people_verify_each_other_by_emoji_and_a_new_device_is_let_in_by_the_old_one()
    {
        await using var alice = await ChatClient.Register(ClientLibrary.JsSdk, stack.Server.Url, SplitStack.NewName("alice"), Password, encrypted: true);
        await using var bob = await ChatClient.Register(ClientLibrary.JsSdk, stack.Server.Url, SplitStack.NewName("bob"), Password, encrypted: true);
        await Task.WhenAll(alice.Call("setUpEncryption", new { password = Password }), bob.Call("setUpEncryption", new { password = Password }));
        var room = await SecretRoom(alice, bob);
        await alice.Send(room, "before we compare");
        await bob.WaitMessage(room, "before we compare");
        Assert.False((await alice.Call("trusts", new { userId = bob.UserId })).GetProperty("verified").GetBoolean());

        await alice.Call("askToVerify", new { userId = bob.UserId, roomId = room });
        await Compare(alice, bob);
        foreach (var (one, other) in new[] { (alice, bob), (bob, alice) })
        {
            await Eventually.True($"{one.UserId} trusts {other.UserId}", async () =>
                (await one.Call("trusts", new { userId = other.UserId })).GetProperty("verified").GetBoolean());
        }

        await using var phone = await ChatClient.Login(ClientLibrary.JsSdk, stack.Server.Url, alice.UserId, Password, encrypted: true);
        await phone.Call("askToVerify");
        await Compare(phone, alice);
        await Eventually.True("the new device is signed and has the keys of its owner", async () =>
        {
            var status = await phone.Call("ownStatus");
            return status.GetProperty("signed").GetBoolean() && status.GetProperty("keys").GetBoolean();
        });
    }

    [Fact]
    public async Task Clients_of_different_makers_talk_in_secret()
    {
        await using var alice = await ChatClient.Register(ClientLibrary.JsSdk, stack.Server.Url, SplitStack.NewName("alice"), Password, encrypted: true);
        await using var bob = await ChatClient.Register(ClientLibrary.Nio, stack.Server.Url, SplitStack.NewName("bob"), Password, encrypted: true);
        var room = await SecretRoom(alice, bob);
        for (var i = 0; i < 3; i++)
        {
            foreach (var (speaker, listener) in new[] { (alice, bob), (bob, alice) })
            {
                var said = $"secret {i} of {speaker.UserId}";
                await speaker.Send(room, said);
                Assert.True((await listener.WaitMessage(room, said)).Encrypted);
            }
        }
    }

    /// <summary>A room of both in which only secrets are said; both know that it is.</summary>
    static async Task<string> SecretRoom(ChatClient alice, ChatClient bob)
    {
        var room = await alice.CreateRoom(new
        {
            preset = "private_chat",
            is_direct = true,
            initial_state = new[] { new { type = "m.room.encryption", state_key = "", content = new { algorithm = "m.megolm.v1.aes-sha2" } } },
        });
        await alice.Invite(room, bob.UserId);
        await bob.WaitMembership(room, bob.UserId, "invite");
        await bob.Join(room);
        await alice.WaitMembership(room, bob.UserId, "join");
        return room;
    }

    /// <summary>One has asked; the other accepts, both look at the same emoji, and say so.</summary>
    static async Task Compare(ChatClient asking, ChatClient asked)
    {
        await asked.Call("acceptVerification", new { timeout = ChatClient.Patience });
        var shown = await Task.WhenAll(
            asking.Call("showEmoji", new { begin = true, timeout = ChatClient.Patience }), asked.Call("showEmoji", new { timeout = ChatClient.Patience }));
        Assert.Equal(Emoji(shown[0]), Emoji(shown[1]));
        await Task.WhenAll(asking.Call("confirmEmoji"), asked.Call("confirmEmoji"));
    }

    static List<string?> Emoji(JsonElement shown) => [.. shown.GetProperty("emoji").EnumerateArray().Select(symbol => symbol.GetString())];

    static HashSet<string> Names(JsonElement json, string name) => [.. json.GetProperty(name).EnumerateArray().Select(id => id.GetString()!)];
}
