"""What the generated persisters share. Written by hand; not part of the public interface.

What `persistry-codegen` wrote into somebody's package may meet another version of this one. So each
such module first imports the generation that it was made for. The number rises, and the name
with it, in the first change after which modules of the last generation would no longer work.
"""

from __future__ import annotations

generation_1 = "what is generated for this runtime imports this first"


def __getattr__(name: str) -> str:
    if name.startswith("generation_"):
        here = ", ".join(it for it in globals() if it.startswith("generation_"))
        raise ImportError(
            f"the module that imports this was generated for another version of persistry"
            f" ({name}; here is {here}): run `persistry-codegen generate` again with this one"
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
