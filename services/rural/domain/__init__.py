"""The rules of rural; pure."""
