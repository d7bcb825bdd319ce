"""The subcommands of ``minegap``, one module per group, imported only when asked for."""
