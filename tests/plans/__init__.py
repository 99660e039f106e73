"""How each store answers each query: asked of its planner, on data like production's.

The persister does what users do; what it sends is heard and explained on the same connection. A
store of tests/stores/ needs nothing more for that, if its planner is one of those known here: each
has a module that turns its words into steps, which are the same for all.
"""

from .comparing import difference, recorded
from .recording import Recorded, Spoiled, folded, planner_of, record

__all__ = ["Recorded", "Spoiled", "difference", "folded", "planner_of", "record", "recorded"]
