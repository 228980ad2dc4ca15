using Colibri.Cli.Commands;
using ConsoleAppFramework;

namespace Colibri.Cli.Parsing;

/// <summary>
/// The one place that runs ConsoleAppFramework: it converts the values that <see cref="CommandLine"/> found and calls the command's method
/// with them. The methods only say what is to be done (<see cref="BoundCommand"/>), so that nothing runs inside the framework: it would take
/// the signals, the exit code and every exception to itself. It prints nothing either: its help is never asked for, and what it has to say of a
/// value that does not convert is said in our words.
/// </summary>
internal static class Binder
{
    private const string WrongValue = "Argument '";
    private const string MissingValue = "Required argument '";

    // The setting is global to the process. It throws in the call of Run that failed.
    static Binder() => ConsoleApp.LogError = static message => throw new BindingException(message);

    /// <summary>Calls the method of the command named.</summary>
    /// <exception cref="UsageException">A value is missing or is not what the option takes.</exception>
    public static BoundCommand Bind(CommandSpec command, Invocation invocation, CliHost host)
    {
        var bound = new BoundCommand(command.Name, invocation.Rest, host);
        var app = Register(bound);
        var words = WordsOf(invocation.Said);
        // The framework searches all words it is called with, values included, for --help and --. So it is called with a harmless word and gets
        // the real words in the next step.
        app.ConfigureGlobalOptions((ref ConsoleApp.GlobalOptionsBuilder builder) =>
        {
            builder = new ConsoleApp.GlobalOptionsBuilder(words);
            return bound;
        });
        try
        {
            app.Run([command.Name, "."]);
        }
        catch (BindingException e)
        {
            throw Explained(e, command, invocation);
        }
        return bound;
    }

    /// <summary>Every command of the table, with its method. The name stands there as a literal: the framework generates code by it.</summary>
    public static ConsoleApp.ConsoleAppBuilder Register(BoundCommand bound)
    {
        var app = ConsoleApp.Create();
        ShortCommands.AddTo(app, bound);
        TaskCommands.AddTo(app, bound);
        ScheduleCommands.AddTo(app, bound);
        RunCommands.AddTo(app, bound);
        LandingCommands.AddTo(app, bound);
        QueueCommands.AddTo(app, bound);
        AgentCommands.AddTo(app, bound);
        SessionCommands.AddTo(app, bound);
        CostCommands.AddTo(app, bound);
        RegistryCommands.AddTo(app, bound);
        DaemonCommands.AddTo(app, bound);
        NoticeCommands.AddTo(app, bound);
        MetricsCommands.AddTo(app, bound);
        RetentionCommands.AddTo(app, bound);
        return app;
    }

    /// <summary>An option and its value are two words, and a flag is one.</summary>
    private static string[] WordsOf(IReadOnlyDictionary<string, List<string>> said)
    {
        List<string> words = [];
        foreach (var (name, values) in said)
        {
            words.Add(name);
            if (values.Count > 0)
                words.Add(string.Join(ManyAttribute.Separator, values));
        }
        return [.. words];
    }

    private static UsageException Explained(BindingException e, CommandSpec command, Invocation invocation)
    {
        foreach (var positional in command.Positionals)
        {
            if (Names(e, MissingValue, positional.Option))
                return new UsageException($"{command.Name} needs {positional.Value}: colibri {command.Example}", command.Name);
            if (Names(e, WrongValue, positional.Option))
                return Wrong(positional.Value, positional.AsOption(), invocation);
        }
        foreach (var option in command.Options)
        {
            if (Names(e, MissingValue, option.Name))
                return new UsageException($"{command.Name} needs {option.Name} {option.Value}", command.Name);
            if (Names(e, WrongValue, option.Name))
                return Wrong(option.Name, option, invocation);
        }
        return new UsageException(e.Message.ReplaceLineEndings(" "), command.Name);
    }

    private static bool Names(BindingException e, string what, string option) =>
        e.Message.StartsWith(what, StringComparison.Ordinal) && e.Message.AsSpan(what.Length).StartsWith($"{option.AsSpan(2)}'");

    private static UsageException Wrong(string what, OptionSpec option, Invocation invocation)
    {
        var said = invocation.Said[option.Name];
        var (value, needed) = option.Choices.Count > 0
            ? (said.First(one => !option.Choices.Contains(one)), $"is none of {string.Join(", ", option.Choices)}")
            : (option.Repeatable ? said.First(one => one.IndexOf('=', StringComparison.Ordinal) <= 0) : said[0], $"is not {option.Form}");
        return new UsageException($"{what} '{value}' {needed}", invocation.Command?.Name);
    }
}

/// <summary>ConsoleAppFramework did not bind the command line; the message is its own.</summary>
internal sealed class BindingException(string message) : Exception(message);
