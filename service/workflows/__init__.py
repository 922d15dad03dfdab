"""From an accepted report to proof that it arrived: what is planned, who works on it, what an answer leads to.

The table of deliveries is the queue, and says how each stands. DBOS runs each go at a delivery as a workflow,
and takes up again what a lost process had begun. Only `engine` imports DBOS.
"""
