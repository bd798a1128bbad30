"""`python -m lib.local`: the local runner; without arguments it runs the example flow."""

import sys

from lib.local.cli import main

if __name__ == "__main__":
    sys.exit(main())
