"""What the screens and the command line show, as plain values: no Textual, no terminal, no files."""
