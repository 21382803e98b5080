"""What learns: torch, and never Qt."""

import os

# torch's threads wait for each other at the end of every operation. GNU's OpenMP lets them spin
# for milliseconds meanwhile, and where anything else wants a core (a browser, the window, the
# threads that decode photos) each operation then lasts as long as a time slice: measured with
# one busy neighbour on two cores, a convolution took 12 ms instead of 4, in bfloat16 12 instead
# of 2. Read once, when torch loads its OpenMP, so it is set before that; a choice of the user's
# own stands.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
