"""The LiteLLM proxy as a child of the run: found, started when first needed, watched, ended."""
