Console.WriteLine("colibri-daemon");
