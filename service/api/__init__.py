"""The routes: read the request, call the pipeline, answer. What an exception means is in `problems`, nowhere else."""
