"""Types shared by every package: arrays and progress reports."""
