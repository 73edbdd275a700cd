"""How fast and how right: measurements against the lecture notebook's loop, common tools and the limits."""

import os

# Threads that wait for each other sleep: spinning ones make a loop of two threads a hundred times slower when
# something else runs on one of the two cores.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
