"""Convert data from other formats to dataset folders, in bounded memory."""
