"""The command `xingu`: one module per group of commands."""
