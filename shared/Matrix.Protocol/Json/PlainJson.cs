using System.Text.Json.Serialization;

namespace Matrix.Protocol;

/// <summary>Generated serialisation of the few types that this library serialises.</summary>
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(PushRuleset))]
sealed partial class PlainJson : JsonSerializerContext;
