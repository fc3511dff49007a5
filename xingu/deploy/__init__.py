"""Deploy trains to targets: plan, approve, execute, and tell what was served when."""
