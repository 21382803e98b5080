"""About the program, what it says of itself for others to help, and reports of crashes."""
