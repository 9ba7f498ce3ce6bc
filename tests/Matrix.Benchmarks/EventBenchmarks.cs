using System.Buffers;
using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using Matrix.Protocol;

namespace Matrix.Benchmarks;

/// <summary>One event of 1 KiB, as it comes in from another server and goes out to clients.</summary>
[MemoryDiagnoser]
public class EventBenchmarks
{
    readonly SampleRoom _room = new();
    readonly ArrayBufferWriter<byte> _output = new(4096);
    byte[] _json = [];
    byte[] _signature = [];
    AuthState _state = new([]);
    PushRules _rules = null!;

    [GlobalSetup]
    public void Setup()
    {
        _json = _room.Message.Json.ToArray();
        _signature = _room.Key.Sign(_json);
        _state = new AuthState([_room.Create, _room.AliceJoin, _room.PowerLevels, _room.JoinRules, _room.BobJoin]);
        _rules = PushRules.Compile(PushRuleset.Default(SampleRoom.Alice), SampleRoom.Alice);
    }

    /// <summary>What cannot be avoided: one signature and the two hashes.</summary>
    [Benchmark(Baseline = true)]
    public bool Bare_verify_and_hashes() =>
        _room.Key.VerifyKey.Verify(_json, _signature) | SHA256.HashData(_json)[0] == 1 | SHA256.HashData(_json)[1] == 1;

    [Benchmark]
    public bool Parse_hash_and_verify()
    {
        var pdu = Pdu.Parse(_json, _room.Rules);
        return pdu.HasValidContentHash && EventSignatures.Verify(pdu, SampleRoom.Server, _ => _room.Key.VerifyKey);
    }

    [Benchmark]
    public Pdu Parse_and_hash() => Pdu.Parse(_json, _room.Rules);

    [Benchmark]
    public Pdu From_store() => Pdu.FromStored(_room.Message.EventId, _json, _room.Rules);

    [Benchmark]
    public Pdu Build_and_sign() => _room.Build(EventTypes.Message, null, SampleRoom.Bob, "{\"body\":\"hello\"}", _room.PowerLevels, _room.BobJoin);

    [Benchmark]
    public bool Auth_check_of_a_message() => EventAuth.Check(_room.Message, _state, _room.Rules, _room.Create).Allowed;

    [Benchmark]
    public int Write_for_clients()
    {
        _output.ResetWrittenCount();
        ClientEvent.Write(_output, _room.Message);
        return _output.WrittenCount;
    }

    [Benchmark]
    public PushOutcome? Push_rules() =>
        _rules.Evaluate(new PushEvent(_room.Message), new PushContext(10, "Alice", PowerLevels.Read(_room.PowerLevels, _room.Create)));
}
