"""Models and the state of training, each in one file."""
