"""`python -m ragstone` is the command line."""

from ragstone.cli.main import main

if __name__ == "__main__":
    main()
