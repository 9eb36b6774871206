"""The machine-readable face of the gateway: endpoints, OpenAPI, AsyncAPI, problems, roles and exports."""
