"""How a reader is trained, epoch by epoch, and taken up again where it was stopped."""
