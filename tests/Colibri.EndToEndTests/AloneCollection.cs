namespace Colibri.EndToEndTests;

/// <summary>Tests that measure time run one after the other, when the others are done: their limits are about Colibri, not about a busy machine.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "alone";
}
