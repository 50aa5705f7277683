"""What the operator decides, apart from the authors of capability files: `runtime.yaml`."""
