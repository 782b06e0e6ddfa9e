"""A package, so that pytest knows where the browser's tests end."""
