"""The history as a service: the report's pages over live data, and a JSON API."""
