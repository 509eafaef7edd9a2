"""One function for each thing that people can do. Nothing here knows Bot Framework."""
