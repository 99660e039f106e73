"""Whether Apache Burr is there."""

from __future__ import annotations

PACKAGE = __name__.split(".")[0]


def check_installed() -> None:
    """Raises ImportError, which says how to install it."""
    try:
        import burr.core.persistence  # noqa: F401
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "burr":
            raise  # Burr is there, and lacks something itself
        raise ImportError(
            f"{PACKAGE}.burr needs Apache Burr, which is not installed: pip install"
            f" '{PACKAGE}[burr]'",
            name=error.name,
        ) from error
