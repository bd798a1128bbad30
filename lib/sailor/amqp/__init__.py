"""The AMQP transport; the only package that imports the client library, pika."""
