"""The command line: commands, their options, and events as lines of text or JSON."""
