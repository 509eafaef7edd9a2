"""`python -m report`: material and forms come in as the bot pickled them, and files go out."""

from __future__ import annotations

import pickle
import sys

from report.making import make


def main() -> None:
    # S301: only ever what the bot itself has put into this pipe.
    material, forms = pickle.load(sys.stdin.buffer)  # noqa: S301
    pickle.dump([make(material, form) for form in forms], sys.stdout.buffer)


if __name__ == "__main__":
    main()
