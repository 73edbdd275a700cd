"""Many runs: learning curves, benchmarks, sweeps over parameters, searches for better ones."""
