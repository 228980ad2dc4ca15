namespace Colibri.Core.Agents.Confinement;

/// <summary>A confined agent's start, as data: what is executed, and which files are left for it before.</summary>
/// <param name="Program">Absolute path.</param>
/// <param name="Arguments">Nothing secret is among them but what the request itself put into the agent's arguments.</param>
/// <param name="Environment">Of the program, which need not be the agent's.</param>
/// <param name="Staged">The files, by name; empty where the environment is passed on as it is.</param>
public sealed record ConfinedStart(
    string Program, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment, IReadOnlyList<KeyValuePair<string, byte[]>> Staged);
