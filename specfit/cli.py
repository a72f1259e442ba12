"""The command line: argv in, exit code out.

0 accepted · 1 rejected by a rule or check · 2 fault in the input · 3 the sampler did not
converge · 4 out of memory or disk · 70 our bug · 130 interrupted, draws kept.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

from specfit.arguments import build_parser
from specfit.exits import ACCEPTED, BUG, EXHAUSTED, FAULT, INTERRUPTED


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the return value is the exit code."""
    arguments = build_parser().parse_args(argv)
    room, name = arguments.command
    try:
        command = getattr(import_module(f"specfit.commands.{room}"), name)
        return int(command(arguments))
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ACCEPTED
    except MemoryError:
        print("error: out of memory; nothing was written", file=sys.stderr)
        return EXHAUSTED
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            print(f"error: disk full: {error.filename or ''}", file=sys.stderr)
            return EXHAUSTED
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR):
            return _shut(error.filename, error.strerror or str(error))
        if isinstance(error, FileExistsError):
            return _there(error)
        return _bug(error)
    except Exception as error:
        return _failed(error)


def _shut(where: object, why: str) -> int:
    from specfit.commands.common import show_diagnostics
    from specfit.diagnostics import Diagnostic

    words = {"path": str(where or "--out"), "reason": why}
    show_diagnostics([Diagnostic("cannot-write", words=words)], {})
    return FAULT


def _there(error: FileExistsError) -> int:
    """Something else stands where a folder would go; of our own errors none has a number."""
    if error.errno is not None:
        return _shut(error.filename, os.strerror(errno.ENOTDIR))
    print(f"error: {error}", file=sys.stderr)
    return FAULT


def _failed(error: Exception) -> int:
    from specfit.diagnostics import Exhausted, SpecError

    if isinstance(error, Exhausted):
        from specfit.commands.common import show_diagnostics

        show_diagnostics([error.diagnostic], {})
        return EXHAUSTED
    if isinstance(error, SpecError):
        from specfit.commands.common import show_diagnostics

        show_diagnostics(error.diagnostics, error.sources)
        return FAULT
    if "RESOURCE_EXHAUSTED" in str(error):
        print("error: out of device memory; nothing was written", file=sys.stderr)
        return EXHAUSTED
    return _bug(error)


def _bug(error: BaseException) -> int:
    traceback.print_exception(error)
    print(
        "\nThis is a bug in specfit, not in your file. Please report it with the text "
        "above and, if you can, the .spec file.",
        file=sys.stderr,
    )
    return BUG


if __name__ == "__main__":
    sys.exit(main())
