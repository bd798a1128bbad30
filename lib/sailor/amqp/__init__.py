"""The AMQP transport; the only place that imports the client library."""
