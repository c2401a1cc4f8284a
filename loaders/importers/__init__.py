"""Bring data from other formats into a dataset folder, in bounded memory."""
