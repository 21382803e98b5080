"""Where a run starts from: scratch, transfer with weights, or a run to resume."""
