"""Private engines and brokers that leave nothing behind, and what the example needs in one."""
