"""Devices behind the JSON RPC of the Python Astroimaging Suite, or of `astrobackend serve rpc`."""
