package main

// system: the one for which whispercpp.Fetcher has a program.
func system() machine { return machine{fetchable: true} }
