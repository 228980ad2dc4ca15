namespace Colibri.Protocol.Wire;

/// <summary>One message of a prompt.</summary>
/// <param name="Role"><c>system</c> (the prefix), <c>user</c>, <c>assistant</c> or <c>tool</c>.</param>
/// <param name="Content">Its words.</param>
public sealed record PromptMessage(string Role, string Content);
