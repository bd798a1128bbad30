"""Runs a flow over RabbitMQ, each step as a process of its own, with a platform server for its API calls."""
