namespace Colibri.Jsonl;

/// <summary>What a look at a line's outer form has shown; <see cref="JsonLine.HasObjectForm"/> says what that form is.</summary>
public enum LineForm : byte
{
    /// <summary>Nobody has looked, or the look did not decide it.</summary>
    Unseen,

    /// <summary>The line has the form of one JSON object.</summary>
    Object,

    /// <summary>The line is no well-formed JSON object, whatever else it is.</summary>
    Fault,
}
