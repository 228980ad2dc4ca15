using System.Text;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Sessions.Prompts;

/// <summary>What an agent is told of the skills that its task asks for.</summary>
internal static class SkillWords
{
    /// <summary>Characters of all skills together; of further ones only the number is told.</summary>
    public const int MaxCharacters = 24 * 1_024;

    private const string Heading = "[skills]\nThis task asks for the skills below. Read what a path names before you begin.";

    /// <summary>The text; empty without skills.</summary>
    public static string Of(IReadOnlyList<Skill> skills)
    {
        if (skills.Count == 0)
            return "";
        var (text, told) = (new StringBuilder(Heading), 0);
        foreach (var skill in skills)
        {
            var line = LineOf(skill);
            if (text.Length + line.Length > MaxCharacters)
                break;
            text.Append(line);
            told++;
        }
        if (told < skills.Count)
            text.Append("\n- and ").Append(skills.Count - told).Append(" more, for which there is no room here");
        // A NUL would silently end an argument.
        return text.Replace('\0', '\uFFFD').ToString();
    }

    /// <summary>A prompt behind its skills; the prompt itself without any.</summary>
    public static string Before(string prompt, IReadOnlyList<Skill> skills) => skills.Count == 0 ? prompt : $"{Of(skills)}\n\n[task]\n{prompt}";

    private static string LineOf(Skill skill)
    {
        var description = skill.Description.Trim().ReplaceLineEndings("\n  ");
        return $"\n- {skill.Name}{(description.Length > 0 ? $": {description}" : "")}{(skill.Path is { } path ? $" (path: {path})" : "")}";
    }
}
