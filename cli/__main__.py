"""`python -m cli`: the same as `posync`."""

from cli.main import main

main()
