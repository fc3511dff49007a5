"""What is done to data, as pure functions from frames, state and Models to the same."""
