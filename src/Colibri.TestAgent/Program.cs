using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Host;
using Colibri.Posix.Spawning;
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

        using var output = new DescriptorStream(1);
        try
        {
            Run(options, output);
        }
        catch (IOException)
        {
            // Broken pipe: an agent ends without a message.
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
        using var input = new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);
        new RpcServer(options, lines, new CommandReader(input)).Serve();
    }

    private static void WriteText(int descriptor, string text)
    {
        using var stream = new DescriptorStream(descriptor);
        try
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
        }
        catch (IOException)
        {
            // `--help | head` is no error.
        }
    }
}
