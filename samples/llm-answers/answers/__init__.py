"""Answers to questions, from a folder of documents."""
