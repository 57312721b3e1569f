"""Where the program begins, as ``reconciler`` and as ``python -m reconciler``."""

import signal
from typing import NoReturn


def main() -> NoReturn:
    """Load the command line, and run it."""
    # nothing is open yet: until all is loaded Ctrl-C ends it as it ends any program, without a traceback of ours
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from reconciler import cli

    cli.main()


if __name__ == "__main__":
    main()
