"""What every implementation of a protocol must do: plain functions that raise AssertionError."""
