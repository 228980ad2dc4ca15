Console.WriteLine("colibri");
