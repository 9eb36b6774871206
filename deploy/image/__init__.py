"""The parts of deploy that run inside the image."""
