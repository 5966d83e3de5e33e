"""Models as things one can choose: the shipped ones, finished training runs, and what others gave."""
