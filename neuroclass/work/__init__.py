"""Where work runs: in this process, in processes on this machine, or on a Dask cluster; results are the same."""
