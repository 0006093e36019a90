"""Explore the AWS managed IAM policies for Amazon EKS in the terminal."""

__version__ = "0.1.0"
