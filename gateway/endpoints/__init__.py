"""Endpoints by section, one short method each; `gateway.service.Gateway` is made of them."""
