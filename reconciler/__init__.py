"""Terraform's workflow for SMS provider credentials."""

__version__ = "0.1.0"
