"""The machine-readable face of the gateway: endpoints and their schemas, OpenAPI, AsyncAPI, problems, roles and exports."""
