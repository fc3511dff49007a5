"""Deploy trains to targets: plan, approve, execute, and find trains that were served."""
