using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix;
using Microsoft.Win32.SafeHandles;

namespace Colibri.TestAgent;

internal static class Program
{
    private const int TerminatedExitCode = 143;

    private static int Main(string[] args)
    {
        if (!AgentOptions.TryParse(args, out var options, out var error))
        {
            WriteText(2, $"colibri-test-agent: {error} (try: colibri-test-agent --help)\n");
            return 2;
        }
        if (options.ShowHelp || options.ShowVersion)
        {
            WriteText(1, options.ShowHelp ? HelpText.Text : $"colibri-test-agent {BuildVersion.Text}\n");
            return 0;
        }

        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            if (!options.IgnoreTerm)
                Environment.Exit(TerminatedExitCode);
        });
        if (options.Linger)
        {
            Lingering.Stay();
            return 0;
        }

        try
        {
            if (options.Children > 0)
                LeftBehind.Start(options);
        }
        catch (Exception e) when (e is SpawnException or FileNotFoundException)
        {
            WriteText(2, $"colibri-test-agent: cannot leave processes behind: {e.Message}\n");
            return 1;
        }

        using var output = Open(1, FileAccess.Write);
        try
        {
            Run(options, output);
        }
        catch (IOException)
        {
            // Nobody reads any more: a broken pipe ends an agent, without a word.
        }
        return options.ExitCode;
    }

    private static void Run(AgentOptions options, Stream output)
    {
        var lines = new EventLines(output, options);
        if (options.FloodBytes is { } bytes)
            lines.WriteFlood(bytes);
        if (!options.Rpc)
        {
            new Performance(options, lines, new DeafInterlude()).Play(new LifeCycle(options, options.Prompt, TimeProvider.System), isFirst: true);
            return;
        }
        using var input = Open(0, FileAccess.Read);
        new RpcServer(options, lines, new CommandReader(input)).Serve();
    }

    private static void WriteText(int descriptor, string text)
    {
        using var stream = Open(descriptor, FileAccess.Write);
        try
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
        }
        catch (IOException)
        {
            // `--help | head` is no error.
        }
    }

    // A FileStream writes to a file at a position of its own, over what others wrote to the same descriptor; the console's stream
    // appends, but never says that a pipe is broken.
    private static Stream Open(int descriptor, FileAccess access)
    {
        var stream = new FileStream(new SafeFileHandle(descriptor, ownsHandle: false), access, bufferSize: 0);
        if (!stream.CanSeek || access == FileAccess.Read)
            return stream;
        stream.Dispose();
        return descriptor == 1 ? Console.OpenStandardOutput() : Console.OpenStandardError();
    }
}
