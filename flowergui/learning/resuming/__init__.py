"""How a run resumes: what its checkpoint and dataset say, and all before its next batch."""
