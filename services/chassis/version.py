"""The version of Kexie."""

VERSION = "0.2.0"
