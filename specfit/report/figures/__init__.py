"""Figures: drawn on figure objects with the Agg canvas, returned as PNG."""
