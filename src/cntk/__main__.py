"""`python -m cntk`: the command line."""

import sys

from cntk._cli.main import main

if __name__ == "__main__":
    sys.exit(main())
