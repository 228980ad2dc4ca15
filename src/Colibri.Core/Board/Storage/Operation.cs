namespace Colibri.Core.Board.Storage;

/// <summary>One verb on its way through the writer. It may be executed more than once; its caller gets the result that was committed.</summary>
/// <param name="waitsForSync">Whether the answer waits for the sync to disk; else it waits for the commit alone, which outlives the process.</param>
internal abstract class Operation(bool waitsForSync)
{
    public bool WaitsForSync { get; } = waitsForSync;

    public abstract void Execute(WriteScope scope);

    /// <summary>Answers the caller with the result of the last execution.</summary>
    public abstract void Complete();

    public abstract void Fail(Exception error);

    /// <summary>As <see cref="Complete()"/>, or with the exception of the verb.</summary>
    public void Complete(Exception? thrown)
    {
        if (thrown is null)
            Complete();
        else
            Fail(thrown);
    }
}

internal sealed class Operation<T>(Func<WriteScope, T> verb, bool waitsForSync) : Operation(waitsForSync)
{
    // Callers' continuations run on the pool, because they must not hold up the writer's thread.
    private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T _result = default!;

    public Task<T> Answer => _completion.Task;

    public override void Execute(WriteScope scope) => _result = verb(scope);

    public override void Complete() => _completion.TrySetResult(_result);

    public override void Fail(Exception error) => _completion.TrySetException(error);
}
