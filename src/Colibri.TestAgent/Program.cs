Console.WriteLine("colibri-test-agent");
