"""What is remembered of every train: the control DB, and the inventory of current models.

The control DB is never needed to predict: what a Model needs is in its package.
"""
