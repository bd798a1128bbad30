"""Runs a flow over RabbitMQ, each step as its own process, with a server in place of the platform."""
