"""job.sbatch: a batch script for SLURM."""

import re
import shlex
from string import Template
from typing import Final

from flowergui.requests import JobOptions
from flowergui.text import tr

GRACE_S: Final = 120
"""Seconds before the end of its time in which a run is asked to stop: it saves within a batch."""

CORES_PER_GPU: Final = 8
"""Cores that decode images for one GPU."""

_SCRIPT: Final = Template(r"""#!/bin/bash
#SBATCH --job-name=$name
#SBATCH --nodes=$nodes
#SBATCH --ntasks-per-node=1
$gpu_line#SBATCH --cpus-per-task=$cores
#SBATCH --time=$hours:00:00
#SBATCH --signal=TERM@$grace
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log

# $submit
#   sbatch job.sbatch /path/to/images

# $activate
# source ~/venv/bin/activate

set -euo pipefail
cd "$${SLURM_SUBMIT_DIR:-.}"
images=$${1:-$images}
head=$$(scontrol show hostnames "$$SLURM_JOB_NODELIST" | head -n 1)
port=$$((29500 + SLURM_JOB_ID % 500))

code=0
srun --cpus-per-task="$$SLURM_CPUS_PER_TASK" torchrun \
  --nnodes "$$SLURM_NNODES" \
  --nproc-per-node $processes \
  --rdzv-id "$$SLURM_JOB_ID" \
  --rdzv-backend c10d \
  --rdzv-endpoint "$$head:$$port" \
  -m flowergui train "$$images" \
  --recipe recipe.json --split split.csv --models-folder models || code=$$?

# $requeue
end=$${SLURM_JOB_END_TIME:-0}
if [ "$$code" -ne 0 ] && [ "$$end" -gt 0 ] && [ $$((end - $$(date +%s))) -lt $again ]; then
  scontrol requeue "$$SLURM_JOB_ID"
fi
exit "$$code"
""")


def shell_word(path: str) -> str:
    """A path as a word for bash. $NAME, ${NAME} and a leading ~/ become there what they stand for;
    all else is itself."""
    if shlex.quote(path) == path:
        return path
    word = re.sub(r'[\\"`]|\$(?![A-Za-z_]|\{[A-Za-z_][A-Za-z_0-9]*\})', r"\\\g<0>", path)
    return f'"{re.sub(r"^~(?=/|$)", "$HOME", word)}"'


def script(name: str, options: JobOptions) -> str:
    """The script of a job that is called `name`."""
    return _SCRIPT.substitute(
        name=name,
        nodes=options.nodes,
        gpu_line=f"#SBATCH --gpus-per-node={options.gpus}\n" if options.gpus else "",
        cores=CORES_PER_GPU * max(options.gpus, 1),
        hours=f"{options.hours:02}",
        grace=GRACE_S,
        again=2 * GRACE_S,
        processes=options.processes,
        images=shell_word(options.photos or "/path/to/images"),
        submit=tr("Submit it in this folder; the folder of images may be named there:"),
        activate=tr("Activate the environment with flowergui, in the way of your cluster:"),
        requeue=tr(
            "If the time limit was reached, the run is saved: the job is requeued and continues it."
        ),
    )
