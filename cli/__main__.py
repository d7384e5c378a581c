"""Run the `posync` command as `python -m cli`."""

from cli.main import main

main()
