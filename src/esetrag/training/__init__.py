"""How a model is trained, epoch by epoch, and resumed where it was stopped."""
