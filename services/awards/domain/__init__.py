"""The rules of awards, one module per aggregate; pure."""
