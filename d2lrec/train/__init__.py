"""The loops: whatever maps a batch to outputs can be trained. They know no model and no file."""
