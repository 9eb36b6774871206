"""Information for anybody, without an account: notices on public display, and the check of a certificate."""
