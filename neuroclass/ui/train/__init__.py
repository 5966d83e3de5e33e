"""The Train page: start a training run and watch it."""
