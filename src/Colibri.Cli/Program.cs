using Colibri.Cli;

// First: what follows may wake the console.
var environment = StandardStreams.TakeEnvironment();

return await CliProgram.RunAsync(args, new CliHost
{
    Stdin = StandardStreams.OpenInput(),
    Stdout = StandardStreams.OpenOutput(),
    Stderr = StandardStreams.OpenError(),
    Environment = environment,
    IsTerminal = !Console.IsOutputRedirected,
    Width = StandardStreams.Width(),
    CurrentDirectory = StandardStreams.CurrentDirectory(),
});
