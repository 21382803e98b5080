"""Training, prediction and all that needs torch; never Qt."""

from flowergui.system.tuning import set_openmp_wait_policy

set_openmp_wait_policy()  # before torch is imported
