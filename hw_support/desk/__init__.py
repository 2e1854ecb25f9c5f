"""What students do at their desk besides answering: `python -m hw_support`."""
