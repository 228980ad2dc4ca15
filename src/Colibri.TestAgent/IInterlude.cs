namespace Colibri.TestAgent;

/// <summary>What happens between two events of a run.</summary>
internal interface IInterlude
{
    /// <summary>Lets the time pass. False: the run is to be aborted.</summary>
    bool Wait(TimeSpan duration);

    /// <summary>Waits for the answer to a question. Null: the run is to be aborted.</summary>
    bool? WaitForAnswer();

    /// <summary>Does nothing more. True: the run is to be aborted; false: the program ends.</summary>
    bool Stall();
}
