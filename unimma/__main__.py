"""python -m unimma"""

import sys

from unimma.cli import main

if __name__ == "__main__":
    sys.exit(main())
