"""job.yaml: a Job for Kubernetes, and the service by which its pods find each other."""

import json
from string import Template
from typing import Final

from flowergui.requests import JobOptions
from flowergui.text import tr

_MANIFEST: Final = Template("""# $adapt
apiVersion: v1
kind: Service
metadata:
  name: $name
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    job-name: $name
  ports:
    - port: 29500
---
apiVersion: batch/v1
kind: Job
metadata:
  name: $name
spec:
  completionMode: Indexed
  completions: $nodes
  parallelism: $nodes
  backoffLimit: 10
  template:
    spec:
      subdomain: $name
      restartPolicy: OnFailure
      terminationGracePeriodSeconds: 120
      containers:
        - name: train
          image: flowergui:latest
          workingDir: /job
          command:
$command
          volumeMounts:
            - name: job
              mountPath: /job
            - name: images
              mountPath: $images
              readOnly: true
            - name: shared-memory
              mountPath: /dev/shm
$resources      volumes:
        - name: job
          persistentVolumeClaim:
            claimName: flowergui-job
        - name: images
          persistentVolumeClaim:
            claimName: images
        - name: shared-memory
          emptyDir:
            medium: Memory
""")

_GPUS: Final = Template("""          resources:
            limits:
              nvidia.com/gpu: $gpus
""")


def manifest(name: str, options: JobOptions) -> str:
    """The manifest of a job that is called `name`: lower-case letters, digits and dashes."""
    named = options.photos
    # Where the claim is mounted: no shell expands it.
    images = named if named.startswith("/") and "$" not in named else "/images"
    command = (
        *("torchrun", "--nnodes", str(options.nodes), "--nproc-per-node", str(options.processes)),
        *("--rdzv-id", name, "--rdzv-backend", "c10d"),
        *("--rdzv-endpoint", f"{name}-0.{name}:29500"),
        *("-m", "flowergui", "train", images, "--recipe", "recipe.json", "--split", "split.csv"),
        *("--models-folder", "models"),
    )
    return _MANIFEST.substitute(
        name=name,
        nodes=options.nodes,
        command="\n".join(f"            - {_quoted(word)}" for word in command),
        images=_quoted(images),
        resources=_GPUS.substitute(gpus=options.gpus) if options.gpus else "",
        adapt=tr("Adapt the image of the container and the names of both volume claims."),
    )


def _quoted(text: str) -> str:
    """A string of YAML, which takes those of JSON."""
    return json.dumps(text, ensure_ascii=False)
