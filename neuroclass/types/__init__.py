"""Types that every room shares: arrays and progress."""
