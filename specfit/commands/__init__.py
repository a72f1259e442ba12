"""What each command does, between the arguments and the pipeline."""
