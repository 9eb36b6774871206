"""The reporting gateway: keeps what the plan counts, proves it from the records, and is the services' front door."""
