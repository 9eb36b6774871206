"""The system that a campaign breaks: processes, a small disk, a firewall, and its repair."""
