namespace Matrix.LocalStack;

/// <summary>Something an operator can put right; the message is one sentence that says how.</summary>
public sealed class StackException(string message, Exception? inner = null) : Exception(message, inner);
