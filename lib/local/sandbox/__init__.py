"""Private engines and brokers that remove all their traces, and the container that crashes in the example."""
