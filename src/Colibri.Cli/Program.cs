using System.Text;
using Colibri.Cli;

return await CliProgram.RunAsync(args, new CliHost
{
    Stdin = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false)),
    Stdout = StandardOutput.Open(),
    Stderr = new StreamWriter(Console.OpenStandardError(), new UTF8Encoding(false)),
    Environment = Environment.GetEnvironmentVariable,
    IsTerminal = !Console.IsOutputRedirected,
    Width = StandardOutput.Width(),
    CurrentDirectory = StandardOutput.CurrentDirectory(),
});
